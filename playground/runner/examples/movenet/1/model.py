"""MoveNet Lightning through onnxruntime: 17 points of one person's body."""

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
SIDE = 192
LARGE = 2048  # pixels along a picture's longer side
POINTS = (
    "nose",
    *("left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder"),
    *("left elbow", "right elbow", "left wrist", "right wrist", "left hip", "right hip"),
    *("left knee", "right knee", "left ankle", "right ankle"),
)


class MoveNet(ModelClass):
    def load_model(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(HERE / "movenet-lightning.onnx"), options)
        self.locate(PIL.Image.new("RGB", (SIDE, SIDE)))  # the first time is slow

    @ModelClass.method
    def predict(
        self,
        image: PIL.Image.Image,
        threshold: float = Param(
            default=0.3,
            min_value=0.0,
            max_value=1.0,
            description="Leave out what the network is less sure of than this.",
            is_param=True,
        ),
    ) -> list[Region]:
        """The points of the body that are seen, from the nose to the ankles: a region each."""
        least = float(threshold)  # some servers hand over the Param itself where an argument was left out
        return [
            Region(point=(x, y, 0.0), concepts=[Concept(name, score)])
            for name, (y, x, score) in zip(POINTS, self.locate(image), strict=True)
            if score >= least
        ]

    @ModelClass.method
    def stream(
        self,
        image: Iterator[PIL.Image.Image],
        threshold: float = Param(
            default=0.3,
            min_value=0.0,
            max_value=1.0,
            description="Leave out what the network is less sure of than this.",
            is_param=True,
        ),
    ) -> Iterator[list[Region]]:
        """The same for one picture after another, such as a camera's."""
        for picture in image:
            yield self.predict(picture, threshold)

    @ModelClass.method
    def pose(self, image: PIL.Image.Image) -> np.ndarray:
        """All 17 points, however unsure: a row each with x, y and score."""
        return self.locate(image)[:, [1, 0, 2]]

    def locate(self, image):
        """Each point's y, x and score, in fractions of the picture's height and width."""
        square, scale = prepare(image)
        found = self.session.run(None, {"input": square})[0][0, 0]
        found[:, :2] = np.clip(found[:, :2] * scale, 0.0, 1.0)
        return found


def prepare(image):
    """The picture upright, at the upper left of a black square, as the network takes it.

    With how the square's fractions become the picture's: what to multiply y and x with.
    """
    picture = upright(image)
    longest = max(picture.size)
    size = [max(1, round(side * SIDE / longest)) for side in picture.size]
    square = PIL.Image.new("RGB", (SIDE, SIDE))
    square.paste(picture.resize(size, PIL.Image.Resampling.BILINEAR))
    return np.asarray(square, np.int32)[None], np.array([SIDE / size[1], SIDE / size[0]], np.float32)


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
