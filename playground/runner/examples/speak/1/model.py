"""Hibari through onnxruntime: English text as speech, a sentence at a time."""

import io
import wave
from typing import Iterator

import numpy as np
from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Audio
from clarifai.runners.utils.data_utils import Param
from hibari import Hibari

LONGEST = 5_000  # characters: some six minutes of sound
PAUSE = 0.2  # seconds between two sentences
SEED = 0  # the same text sounds the same each time

SPEED = Param(default=1.0, min_value=0.5, max_value=2.0, description="From slow (0.5) to quick (2).", is_param=True)


class Speak(ModelClass):
    def load_model(self):
        self.voice = Hibari(threads=2)
        self.voice("Ready.")  # the first time is slow

    @ModelClass.method
    def generate(self, text: str, speed: float = SPEED) -> Iterator[Audio]:
        """The text as speech: one piece of sound for each sentence, as soon as it is there."""
        for sound in self.say(text, float(speed)):
            yield as_audio([sound])

    @ModelClass.method
    def predict(self, text: str, speed: float = SPEED) -> Audio:
        """The whole text as one sound."""
        return as_audio(list(self.say(text, float(speed))))

    def say(self, text, speed):
        """Each sentence's sound; the next one is made only when it is asked for."""
        check(text)
        is_silent = True
        for sentence in Hibari.split_sentences(text):
            for sound in self.voice.stream(sentence, speed=speed, seed=SEED):
                if sound.size:
                    is_silent = False
                    yield sound
        if is_silent:
            raise ValueError("There is nothing in the text that can be said: it takes English words and numbers.")


def check(text):
    if not text.strip():
        raise ValueError("The text is empty.")
    if len(text) > LONGEST:
        raise ValueError(f"The text has {len(text):,} characters; at most {LONGEST:,} are said at once. Shorten it.")


def as_audio(sounds):
    """As WAV, in 16 bits, with a pause after each but the last."""
    pause = np.zeros(int(PAUSE * Hibari.sample_rate), np.float32)
    parted = [part for sound in sounds for part in (pause, sound)][1:]  # the first pause is none
    with io.BytesIO() as file:
        with wave.open(file, "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(Hibari.sample_rate)
            writer.writeframes((np.clip(np.concatenate(parted), -1, 1) * 32767).astype("<i2").tobytes())
        return Audio(bytes=file.getvalue())
