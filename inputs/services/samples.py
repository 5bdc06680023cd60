"""Sample inputs, so that the first person who looks finds something to try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inputs.models import Tally
from inputs.services.adding import add_inputs
from inputs.services.given import Given
from playground.media import services as media

if TYPE_CHECKING:
    from playground.catalog.models import App

DATASET = "samples"
_TEXT = (
    "A playground is a place to try things. Put pictures, texts, sounds and films here, open one, switch to Predict, "
    "choose a model, and see its answer on the input itself.\n"
)
_CONCEPTS = {"chelsea.jpg": "cat", "coffee.jpg": "coffee", "rocket.jpg": "rocket", "astronaut.jpg": "person"}


def ensure_samples(app: App) -> int:
    """Put samples into an app that has never had an input; how many were put. Deleted, they do not come back."""
    if Tally.objects.filter(app=app).exists():
        return 0
    given = [Given(text=_TEXT, name="playground.txt", datasets=[DATASET])]
    for reference in reversed(media.ensure_samples()):
        concepts = [_CONCEPTS[reference.name]] if reference.name in _CONCEPTS else []
        given.append(Given(reference=reference, concepts=concepts, datasets=[DATASET]))
    return len(add_inputs(app.owner, app, given))
