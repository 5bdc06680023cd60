"""Selfie segmentation through onnxruntime: where in a picture people are, pixel by pixel."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import PIL.Image
from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Concept, Region
from clarifai.runners.utils.data_utils import Param
from PIL import ImageOps

HERE = Path(__file__).parent
SIDE = 256
LARGE = 2048  # pixels along a picture's longer side
SMALLEST = 0.005  # less of a picture than this is nobody
LONGEST = 1024  # of a mask's sides: finer would be made up


class Selfie(ModelClass):
    def load_model(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(HERE / "selfie.onnx"), options)
        self.look(PIL.Image.new("RGB", (SIDE, SIDE)))  # the first time is slow

    @ModelClass.method
    def predict(
        self,
        image: PIL.Image.Image,
        threshold: float = Param(
            default=0.5,
            min_value=0.01,
            max_value=1.0,
            description="How sure the network must be that a pixel shows a person.",
            is_param=True,
        ),
    ) -> list[Region]:
        """One region for all people: a mask, white where they are, and the box around it."""
        sure = self.look(image)
        inside = sure >= float(threshold)  # some servers hand over the Param itself where an argument was left out
        if inside.mean() < SMALLEST:
            return []
        person = Concept("person", float(sure[inside].mean()))
        return [Region(box=box_around(inside), mask=as_mask(inside * 255.0, image), concepts=[person])]

    @ModelClass.method
    def stream(
        self,
        image: Iterator[PIL.Image.Image],
        threshold: float = Param(
            default=0.5,
            min_value=0.01,
            max_value=1.0,
            description="How sure the network must be that a pixel shows a person.",
            is_param=True,
        ),
    ) -> Iterator[list[Region]]:
        """The same for one picture after another, such as a camera's."""
        for picture in image:
            yield self.predict(picture, threshold)

    @ModelClass.method
    def cut_out(self, image: PIL.Image.Image) -> PIL.Image.Image:
        """The people alone; what is behind them is transparent."""
        people = upright(image)
        people.thumbnail((LONGEST, LONGEST))
        people.putalpha(as_mask(self.look(image) * 255, people))
        return people

    @ModelClass.method
    def probabilities(self, image: PIL.Image.Image) -> np.ndarray:
        """How sure it is of each place of a grid of 256 by 256, from 0 to 1."""
        return self.look(image)

    def look(self, image):
        """How sure it is that there is a person, of each place of the picture, stretched to a square."""
        picture = upright(image).resize((SIDE, SIDE), PIL.Image.Resampling.BILINEAR)
        pixels = np.asarray(picture, np.float32)[None] / 255
        return np.clip(self.session.run(None, {"input_1": pixels})[0][0, :, :, 0], 0.0, 1.0)


def box_around(inside):
    """Left, top, right, bottom of what is true, in fractions."""
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return [float(edge) / SIDE for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)]


def as_mask(places, image):
    """In grey, in the shape of the upright picture."""
    width, height = ImageOps.exif_transpose(image).size
    scale = min(1.0, LONGEST / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return PIL.Image.fromarray(places.astype(np.uint8)).resize(size, PIL.Image.Resampling.BICUBIC)


def upright(image):
    """As one looks at it, in three colours; a huge one is made smaller first, as each copy of it takes memory."""
    image.thumbnail((LARGE, LARGE), reducing_gap=1.0)
    return on_white(ImageOps.exif_transpose(image))


def on_white(image):
    """In three colours; what is transparent is white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = PIL.Image.new("RGBA", image.size, "white")
    return PIL.Image.alpha_composite(white, image).convert("RGB")
