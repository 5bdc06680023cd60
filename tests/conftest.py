"""One throw-away data folder for the whole run, chosen before the settings are read."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_DATA_DIR = tempfile.mkdtemp(prefix="playground-tests-")
atexit.register(shutil.rmtree, _DATA_DIR, ignore_errors=True)

for name in [
    name for name in os.environ if name.startswith(("PLAYGROUND_", "CLARIFAI_")) and name != "PLAYGROUND_NO_SKIPS"
]:
    del os.environ[name]
os.environ["PLAYGROUND_DATA_DIR"] = _DATA_DIR
