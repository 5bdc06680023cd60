"""Forms for the methods of a model, from their signatures."""

from playground.play.forms.methods import (
    FormField,
    MethodForm,
    arguments_of,
    build_form,
    list_forms,
    with_forms,
)
from playground.protocol.signatures import MISSING

__all__ = ["MISSING", "FormField", "MethodForm", "arguments_of", "build_form", "list_forms", "with_forms"]
