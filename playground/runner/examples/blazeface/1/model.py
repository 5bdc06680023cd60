"""BlazeFace through onnxruntime: faces as boxes, with six points each."""

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
GRIDS = ((16, 2), (8, 6))  # cells along a side, and guesses in each cell
OVERLAP = 0.3  # boxes that share more than this are one face
MAX_FACES = 50
POINTS = ("right eye", "left eye", "nose", "mouth", "right ear", "left ear")


class BlazeFace(ModelClass):
    def load_model(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(HERE / "blazeface.onnx"), options)
        self.detect(PIL.Image.new("RGB", (SIDE, SIDE)), 0.75)  # the first time is slow

    @ModelClass.method
    def predict(
        self,
        image: PIL.Image.Image,
        threshold: float = Param(
            default=0.75,
            min_value=0.0,
            max_value=1.0,
            description="Leave out what the network is less sure of than this.",
            is_param=True,
        ),
        points: bool = Param(default=True, description="Give eyes, nose, mouth and ears, too.", is_param=True),
    ) -> list[Region]:
        """Each face's box, the surest first, and after it its points, with the same track id."""
        # Some servers hand over the Param itself where an argument was left out.
        threshold, points = float(threshold), bool(points)
        regions = []
        for number, (score, box, marks) in enumerate(self.detect(image, threshold), start=1):
            face = f"face-{number}"
            regions.append(Region(box=box, concepts=[Concept("face", score)], track_id=face))
            for name, (x, y) in zip(POINTS, marks, strict=True) if points else ():
                regions.append(Region(point=(x, y, 0.0), concepts=[Concept(name, score)], track_id=face))
        return regions

    @ModelClass.method
    def stream(
        self,
        image: Iterator[PIL.Image.Image],
        threshold: float = Param(
            default=0.75,
            min_value=0.0,
            max_value=1.0,
            description="Leave out what the network is less sure of than this.",
            is_param=True,
        ),
        points: bool = Param(default=True, description="Give eyes, nose, mouth and ears, too.", is_param=True),
    ) -> Iterator[list[Region]]:
        """The same for one picture after another, such as a camera's."""
        for picture in image:
            yield self.predict(picture, threshold, points)

    def detect(self, image, threshold):
        """Score, box and points of each face; in fractions of the picture."""
        square, scale = prepare(image)
        scores, places = decode(self.session.run(None, {self.session.get_inputs()[0].name: square}))
        places = np.clip(places * scale, 0.0, 1.0)  # pairs of x and y: two corners, then the points
        return [
            (float(scores[kept]), places[kept, :2].ravel().tolist(), places[kept, 2:].tolist())
            for kept in pick(scores, places[:, :2].reshape(-1, 4), threshold)
        ]


def prepare(image):
    """The picture upright, at the upper left of a black square, as the network takes it.

    With how the square's fractions become the picture's: what to multiply x and y with.
    """
    picture = upright(image)
    longest = max(picture.size)
    size = [max(1, round(side * SIDE / longest)) for side in picture.size]
    square = PIL.Image.new("RGB", (SIDE, SIDE))
    square.paste(picture.resize(size, PIL.Image.Resampling.BILINEAR))
    pixels = np.asarray(square, np.float32) / 127.5 - 1
    return pixels[None], np.array([SIDE / size[0], SIDE / size[1]], np.float32)


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


def decode(outputs):
    """All guesses' scores (n), and their corners and points (n, 8, 2) in fractions of the square."""
    by_shape = {output.shape[1:]: output[0] for output in outputs}
    scores, places = [], []
    for cells, guesses in GRIDS:
        count = cells * cells * guesses
        scores.append(1 / (1 + np.exp(-np.clip(by_shape[count, 1][:, 0], -50, 50))))
        found = by_shape[count, 16].reshape(-1, 8, 2) / SIDE
        centres = anchors(cells, guesses)
        middle, half = found[:, 0] + centres, found[:, 1] / 2
        corners = np.stack([middle - half, middle + half], 1)
        places.append(np.concatenate([corners, found[:, 2:] + centres[:, None]], 1))
    return np.concatenate(scores), np.concatenate(places)


def anchors(cells, guesses):
    """The middle of each cell, once for each guess: x and y."""
    rows, columns = np.divmod(np.arange(cells * cells), cells)
    return np.repeat((np.stack([columns, rows], 1) + 0.5) / cells, guesses, 0)


def pick(scores, boxes, threshold):
    """The surest boxes, without those that mean the same face."""
    sure = np.flatnonzero(scores >= threshold)
    kept = []
    for place in sure[np.argsort(-scores[sure])]:
        if len(kept) < MAX_FACES and all(shared(boxes[place], boxes[other]) <= OVERLAP for other in kept):
            kept.append(place)
    return kept


def shared(one, other):
    """How much two boxes share of what they cover together."""
    width, height = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (area(one) + area(other) - both)


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])
