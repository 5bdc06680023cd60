"""A model that tells who it is, works for a while, takes memory, or talks without end."""

import os
import sys
import threading
import time
from typing import Iterator

from clarifai.runners.models.model_class import ModelClass

kept = []


class Worker(ModelClass):
    @ModelClass.method
    def predict(self, text: str) -> str:
        """Its process id."""
        return str(os.getpid())

    @ModelClass.method
    def variable(self, text: str) -> str:
        """What it finds in its environment by that name."""
        return os.environ.get(text, "")

    @ModelClass.method
    def work(self, text: str) -> str:
        """Its process id, after so many seconds."""
        time.sleep(float(text))
        return str(os.getpid())

    @ModelClass.method
    def hold(self, text: str) -> Iterator[str]:
        """Two pieces: the second when there is a file of that name."""
        yield "held"
        while not os.path.exists(text):
            time.sleep(0.05)
        yield "released"

    @ModelClass.method
    def take(self, text: str) -> str:
        """Keep so many MiB."""
        kept.append(bytearray(os.urandom(1) * (int(text) * 2**20)))
        return str(os.getpid())

    @ModelClass.method
    def flood(self, text: str) -> str:
        """Write to the log without end, from now on."""
        threading.Thread(target=self._flood, daemon=True).start()
        return str(os.getpid())

    def _flood(self) -> None:
        while True:
            sys.stderr.write("word " * 200 + "\n")
