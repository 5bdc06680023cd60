"""NanoDet through onnxruntime: boxes around the 80 kinds of things that COCO knows."""

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
SIDE = 416
LARGE = 2048  # pixels along a picture's longer side
STRIDES = (8, 16, 32)
BINS = 11  # a side's distance is a distribution over 0 to 10 strides
OVERLAP = 0.5  # of one class, boxes that share more than this are one thing
MAX_REGIONS = 100
MEAN = np.array([103.53, 116.28, 123.675], np.float32)  # blue, green, red
SPREAD = np.array([57.375, 57.12, 58.395], np.float32)
LABELS = (HERE / "labels.txt").read_text().splitlines()


class NanoDet(ModelClass):
    def load_model(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(HERE / "nanodet.onnx"), options)
        self.detect(PIL.Image.new("RGB", (SIDE, SIDE)), 0.4)  # the first time is slow

    @ModelClass.method
    def predict(
        self,
        image: PIL.Image.Image,
        threshold: float = Param(
            default=0.4,
            min_value=0.0,
            max_value=1.0,
            description="Leave out what the network is less sure of than this.",
            is_param=True,
        ),
    ) -> list[Region]:
        """Regions with a box and a concept each, the surest first."""
        return self.regions(image, threshold)

    @ModelClass.method
    def stream(
        self,
        image: Iterator[PIL.Image.Image],
        threshold: float = Param(
            default=0.4,
            min_value=0.0,
            max_value=1.0,
            description="Leave out what the network is less sure of than this.",
            is_param=True,
        ),
    ) -> Iterator[list[Region]]:
        """The same for one picture after another, such as a camera's."""
        for picture in image:
            yield self.regions(picture, threshold)

    def regions(self, image, threshold):
        return [
            Region(box=[float(edge) for edge in box], concepts=[Concept(LABELS[label], float(score))])
            for label, score, box in self.detect(image, threshold)
        ]

    def detect(self, image, threshold):
        scores, distances = by_place(self.session.run(None, {"input_1": prepare(image)}))
        sure = np.flatnonzero(scores.max(1) >= threshold)
        scores, boxes = scores[sure], box_edges(distances[sure], sure)
        labels = np.flatnonzero(scores.max(0, initial=-1.0) >= threshold)
        found = [hit for label in labels for hit in pick(label, scores[:, label], boxes, threshold)]
        return sorted(found, key=lambda hit: -hit[1])[:MAX_REGIONS]


def prepare(image):
    """The picture upright, stretched to a square, as the network takes it: blue, green, red; normalised; NCHW."""
    picture = upright(image).resize((SIDE, SIDE), PIL.Image.Resampling.BILINEAR)
    pixels, taken = np.asarray(picture), np.empty((1, 3, SIDE, SIDE), np.float32)
    for plane, (mean, spread) in enumerate(zip(MEAN, SPREAD, strict=True)):
        np.multiply(pixels[:, :, 2 - plane], 1 / spread, out=taken[0, plane])
        taken[0, plane] -= mean / spread
    return taken


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


def by_place(outputs):
    """All places' scores (n, 80), and the distributions of their sides' distances (n, 4 x BINS)."""
    by_shape = {output.shape[1:]: output[0] for output in outputs}
    counts = [(SIDE // stride) ** 2 for stride in STRIDES]
    return tuple(np.concatenate([by_shape[count, width] for count in counts]) for width in (len(LABELS), 4 * BINS))


def box_edges(distances, places):
    """Left, top, right, bottom around each place's centre (n, 4), in fractions of the picture."""
    weights = np.exp(distances.reshape(-1, 4, BINS) - distances.reshape(-1, 4, BINS).max(-1, keepdims=True))
    sides = (weights @ np.arange(BINS, dtype=np.float32)) / weights.sum(-1) * STEPS[places, None]
    centres = CENTRES[places]
    edges = np.concatenate([centres - sides[:, :2], centres + sides[:, 2:]], 1)
    return np.clip(edges / SIDE, 0.0, 1.0)


def grid():
    """Where each place's centre is (n, 2), and how far it is to the next one (n,)."""
    centres, steps = [], []
    for stride in STRIDES:
        rows, columns = np.divmod(np.arange((SIDE // stride) ** 2), SIDE // stride)
        centres.append((np.stack([columns, rows], 1) + 0.5) * stride)
        steps.append(np.full(len(rows), stride))
    return np.concatenate(centres), np.concatenate(steps)


CENTRES, STEPS = grid()


def pick(label, scores, boxes, threshold):
    """The surest boxes of one class, without those that mean the same thing."""
    sure = np.flatnonzero(scores >= threshold)
    order = sure[np.argsort(-scores[sure])][: 4 * MAX_REGIONS]
    kept = []
    for place in order:
        if all(shared(boxes[place], boxes[other]) <= OVERLAP for other in kept):
            kept.append(place)
    return [(label, scores[place], boxes[place]) for place in kept]


def shared(one, other):
    """How much two boxes share of what they cover together."""
    width, height = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (area(one) + area(other) - both)


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])
