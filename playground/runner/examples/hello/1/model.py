"""A model that computes nothing: each kind of method once, and each plain type of argument."""

import time
from typing import Iterator

from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_utils import Param


class Hello(ModelClass):
    @ModelClass.method
    def predict(self, text: str) -> str:
        """A greeting around the text."""
        return f"Hello! You said: {text}"

    @ModelClass.method
    def generate(
        self,
        text: str,
        delay: float = Param(
            default=0.0, min_value=0.0, max_value=2.0, description="Seconds to wait before each word.", is_param=True
        ),
    ) -> Iterator[str]:
        """The text, word by word."""
        for word in _words(text):
            if delay:
                time.sleep(delay)
            yield word

    @ModelClass.method
    def stream(self, text: Iterator[str]) -> Iterator[str]:
        """An answer to each text, before the next one comes."""
        for item in text:
            yield f"You said: {item}"

    @ModelClass.method
    def compose(
        self,
        name: str,
        times: int = Param(default=1, min_value=1, max_value=10, description="How many greetings.", is_param=True),
        language: str = Param(
            default="English",
            choices=["English", "Deutsch", "Français", "Español"],
            description="The language of the greeting.",
            is_param=True,
        ),
        warmth: float = Param(
            default=0.5, min_value=0.0, max_value=1.0, description="From cool (0) to warm (1).", is_param=True
        ),
        shout: bool = Param(default=False, description="In capital letters.", is_param=True),
        friends: list[str] = Param(default=[], description="Others to greet, too.", is_param=True),
        extra: dict = Param(default={}, description="Any JSON; it comes back as it is.", is_param=True),
    ) -> dict:
        """Greetings put together from arguments of several types, as JSON."""
        # Some servers hand over the Param itself where an argument was left out.
        times, language, warmth, shout = int(times), str(language), float(warmth), bool(shout)
        friends, extra = list(friends), extra if isinstance(extra, list) else dict(extra)
        word = {"English": "Hello", "Deutsch": "Hallo", "Français": "Bonjour", "Español": "Hola"}[language]
        mark = "." if warmth < 0.34 else "!" if warmth < 0.67 else "!!!"
        lines = [f"{word}, {person}{mark}" for person in [name, *friends]] * times
        return {
            "greetings": [line.upper() for line in lines] if shout else lines,
            "settings": {"times": times, "language": language, "warmth": warmth, "shout": shout},
            "extra": extra,
        }


def _words(text):
    """Pieces that give the text again when they are joined: each word with the space after it."""
    start = 0
    for position in range(1, len(text)):
        if text[position - 1].isspace() and not text[position].isspace() and text[start:position].strip():
            yield text[start:position]
            start = position
    if text:
        yield text[start:]
