"""EfficientNet-Lite0 through onnxruntime: the likeliest of ImageNet's 1000 classes, or the picture as numbers."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import PIL.Image
from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Concept
from clarifai.runners.utils.data_utils import Param
from PIL import ImageOps

HERE = Path(__file__).parent
SIDE = 224
LARGE = 2048  # pixels along a picture's longer side
SHORT_SIDE = 256  # the shorter side before the middle is cut out
LABELS = [names.split(",")[0] for names in json.loads((HERE / "labels.json").read_text(encoding="utf-8"))]


class EfficientNet(ModelClass):
    def load_model(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(str(HERE / "efficientnet-lite0.onnx"), options)
        self.run("probs", PIL.Image.new("RGB", (SIDE, SIDE)))  # the first time is slow

    @ModelClass.method
    def predict(
        self,
        image: PIL.Image.Image,
        top_k: int = Param(
            default=5, min_value=1, max_value=100, description="How many concepts to give.", is_param=True
        ),
    ) -> list[Concept]:
        """The likeliest concepts, best first."""
        chances = self.run("probs", image)
        best = np.argsort(-chances)[:top_k]
        return [Concept(LABELS[place], float(chances[place]), id=f"imagenet-{place}") for place in best]

    @ModelClass.method
    def embed(self, image: PIL.Image.Image) -> np.ndarray:
        """1,280 numbers that are close together for similar pictures."""
        return self.run("embedding", image)

    def run(self, output, image):
        return self.session.run([output], {"image": prepare(image)})[0][0]


def prepare(image):
    """The upright picture's middle square, as the network takes it: red, green, blue around 0; NCHW."""
    picture = upright(image)
    scale = SHORT_SIDE / min(picture.size)
    small = picture.resize([round(length * scale) for length in picture.size], PIL.Image.Resampling.BICUBIC)
    left, top = ((length - SIDE) // 2 for length in small.size)
    square = small.crop((left, top, left + SIDE, top + SIDE))
    pixels = np.asarray(square, np.float32)
    return ((pixels - 127) / 128).transpose(2, 0, 1)[None]


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
