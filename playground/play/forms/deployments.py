"""The form of a new deployment, and what of it the services are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from playground.catalog.models import PRIVATE, PUBLIC
from playground.compute.models import Deployment
from playground.protocol.errors import ConflictError, InputError, PlaygroundError

MINUTE = 60
# The services' names of what a person sees as one field.
_FIELD_OF = {
    "id": "name",
    "nodepools": "nodepool",
    "min_replicas": "least",
    "max_replicas": "most",
    "scale_to_zero_delay_seconds": "idle_minutes",
    "scale_up_delay_seconds": "up_seconds",
    "scale_down_delay_seconds": "down_seconds",
    "traffic_history_seconds": "history_seconds",
    "inference_compute_info": "nodepool",
}


class DeploymentForm(forms.Form):
    """Types alone are checked here: what a value may be is the services' to say. Variables come beside, as lists."""

    name = forms.CharField(error_messages={"required": "Give it a name."})
    nodepool = forms.IntegerField(error_messages={"required": "Choose a nodepool.", "invalid": "Choose a nodepool."})
    least = forms.IntegerField(error_messages={"required": "Give a whole number.", "invalid": "Give a whole number."})
    most = forms.IntegerField(error_messages={"required": "Give a whole number.", "invalid": "Give a whole number."})
    idle_minutes = forms.FloatField(required=False, error_messages={"invalid": "Give a number of minutes."})
    up_seconds = forms.IntegerField(required=False, error_messages={"invalid": "Give whole seconds."})
    down_seconds = forms.IntegerField(required=False, error_messages={"invalid": "Give whole seconds."})
    history_seconds = forms.IntegerField(required=False, error_messages={"invalid": "Give whole seconds."})
    queue_limit = forms.IntegerField(required=False, error_messages={"invalid": "Give a whole number."})
    is_public = forms.BooleanField(required=False)
    environment = forms.CharField(required=False)  # stands for the variables, to have errors beside them

    def clean_idle_minutes(self) -> float | None:
        minutes: float | None = self.cleaned_data["idle_minutes"]
        if minutes is not None and not 0 <= minutes <= 24 * 60:
            raise forms.ValidationError("Give 0 to 1440 minutes.")
        return minutes

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        least, most = given.get("least"), given.get("most")
        if least is not None and most is not None and least > most:
            self.add_error("least", f"The fewest, {least}, are more than the most, {most}.")
        return given

    def facts(self) -> dict[str, Any]:
        """As ``create_deployment`` takes them; what was left out keeps its default."""
        given = self.cleaned_data
        minutes = given["idle_minutes"]
        facts = {
            "min_replicas": given["least"],
            "max_replicas": given["most"],
            "scale_to_zero_delay_seconds": None if minutes is None else round(minutes * MINUTE),
            "scale_up_delay_seconds": given["up_seconds"],
            "scale_down_delay_seconds": given["down_seconds"],
            "traffic_history_seconds": given["history_seconds"],
            "queue_limit": given["queue_limit"],
            "visibility": PUBLIC if given["is_public"] else PRIVATE,
        }
        return {name: value for name, value in facts.items() if value is not None}

    def refuse(self, error: PlaygroundError) -> None:
        """Put what the services said beside the field that it is about."""
        argument = getattr(error, "argument", "") or ("id" if isinstance(error, ConflictError) else "")
        field = _FIELD_OF.get(argument, argument)
        self.add_error(field if field in self.fields else None, error.message)


class Variable:
    """A row of the environment, as it was typed; a secret that ``is_kept`` has a value that nobody reads again."""

    def __init__(self, name: str, value: str, *, is_secret: bool, is_kept: bool = False) -> None:
        self.name, self.value, self.is_secret, self.is_kept = name, value, is_secret, is_kept


def read_variables(given: QueryDict) -> list[Variable]:
    """The rows that say anything. Each has its name, its value and its kind at the same place of three lists."""
    names, values, kinds = (given.getlist(f"variable_{part}") for part in ("name", "value", "kind"))
    rows = zip(names, values, kinds, strict=False)
    return [Variable(name.strip(), value, is_secret=kind == "secret") for name, value, kind in rows if name or value]


def environment_facts(variables: list[Variable]) -> dict[str, Mapping[str, str]]:
    """Values and secrets by name. Raises InputError for a name that is there twice, or missing."""
    names = [variable.name for variable in variables]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"{twice}: there twice. Leave one of them out.", argument="environment")
    if "" in names:
        raise InputError("A variable has a value and no name.", argument="environment")
    if empty := next((one.name for one in variables if one.is_secret and not one.value), None):
        raise InputError(f"{empty}: type the secret's value.", argument="environment")
    return {
        "environment": {one.name: one.value for one in variables if not one.is_secret},
        "secrets": {one.name: one.value for one in variables if one.is_secret},
    }


def changed_environment(deployment: Deployment, given: QueryDict) -> dict[str, Mapping[str, str | None]]:
    """What rows say of the environment that is there: a name that is left out goes, a secret without a value stays.

    Raises as ``environment_facts`` does.
    """
    before = {row.name: row for row in deployment.environment.all()}
    rows = read_variables(given)
    stays = {one.name for one in rows if one.is_secret and not one.value and one.name in before}
    stays = {name for name in stays if before[name].is_secret}
    if twice := next((name for name in stays if [one.name for one in rows].count(name) > 1), None):
        raise InputError(f"{twice}: there twice. Leave one of them out.", argument="environment")
    facts = environment_facts([one for one in rows if one.name not in stays])
    plain: dict[str, str | None] = {
        name: value
        for name, value in facts["environment"].items()
        if name not in before or before[name].is_secret or before[name].value != value
    }
    plain |= dict.fromkeys(before.keys() - {one.name for one in rows})
    changes = {"environment": plain, "secrets": facts["secrets"]}
    return {name: values for name, values in changes.items() if values}
