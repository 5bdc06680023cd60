"""The acts on inputs. Each takes the acting user first, checks what they may do, and raises a ``PlaygroundError``.

add_input(user, app, data=…, name="cup.jpg", concepts=[("cup", 1.0)], datasets=["kitchen"])
edit_inputs(user, rows, add_concepts=["cup"], metadata={"seen": True})
token = delete_inputs(user, rows)           # restore_inputs(user, token) for ten minutes
annotate(user, row, concept="cup", box=(0.1, 0.2, 0.5, 0.9))
keep_prediction(user, row, run)             # then accept(user, prediction, [0, 3]) or accept(…, above=0.5)
"""

from __future__ import annotations

from inputs.services.adding import add_input, add_inputs
from inputs.services.deleting import delete_inputs, purge, restore_inputs
from inputs.services.editing import edit_inputs
from inputs.services.fetching import fetch
from inputs.services.given import DuplicateError, Given, Label, plain_id
from inputs.services.labels import annotate, edit_annotation, find_annotation, remove_annotation
from inputs.services.looking import limit_of
from inputs.services.predictions import accept, find_prediction, keep_prediction, reference_for, remove_prediction
from inputs.services.rights import MOST_AT_ONCE
from inputs.services.samples import ensure_samples
from inputs.services.sweeping import housekeeping, sweep

__all__ = [
    "MOST_AT_ONCE",
    "DuplicateError",
    "Given",
    "Label",
    "accept",
    "add_input",
    "add_inputs",
    "annotate",
    "delete_inputs",
    "edit_annotation",
    "edit_inputs",
    "ensure_samples",
    "fetch",
    "find_annotation",
    "find_prediction",
    "housekeeping",
    "keep_prediction",
    "limit_of",
    "plain_id",
    "purge",
    "reference_for",
    "remove_annotation",
    "remove_prediction",
    "restore_inputs",
    "sweep",
]
