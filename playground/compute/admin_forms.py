"""The admin's forms, where a row's fields alone do not say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from playground.compute.models import Deployment, Nodepool

if TYPE_CHECKING:
    from collections.abc import Iterable

    NodepoolBase = forms.ModelForm[Nodepool]
    DeploymentBase = forms.ModelForm[Deployment]
else:
    NodepoolBase = DeploymentBase = forms.ModelForm


_LISTS = ("addresses", "instance_types", "capacity_types")


class NodepoolForm(NodepoolBase):
    """Lists as JSON; nothing is an empty list."""

    class Meta:
        model = Nodepool
        fields = _LISTS

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        return cleaned | {name: cleaned[name] or [] for name in _LISTS if name in cleaned}


class DeploymentForm(DeploymentBase):
    """Nodepools in order of preference, plain variables a line each, one secret at a time, which is never shown."""

    nodepools = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="USER/CLUSTER/NODEPOOL, one a line, in order of preference: the first that has room is taken",
    )
    environment = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 4}), help_text="NAME=VALUE, one a line"
    )
    secret_name = forms.CharField(required=False, help_text="A secret to be set: its name")
    secret_value = forms.CharField(
        required=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"}), strip=False, help_text="Its value"
    )

    class Meta:
        model = Deployment
        fields = (
            "slug",
            "model",
            "version",
            "description",
            "min_replicas",
            "max_replicas",
            "traffic_history_seconds",
            "scale_up_delay_seconds",
            "scale_down_delay_seconds",
            "scale_to_zero_delay_seconds",
            "queue_limit",
            "scheduling_choice",
            "visibility",
            "is_enabled",
        )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            placed = self.instance.placements.select_related("nodepool__cluster__owner").order_by("position")
            self.initial["nodepools"] = "\n".join(_address(one.nodepool) for one in placed)
            plain = self.instance.environment.filter(is_secret=False)
            self.initial["environment"] = "\n".join(f"{row.name}={row.value}" for row in plain)

    def clean_nodepools(self) -> list[Nodepool]:
        return [_nodepool_at(line) for line in _lines(self.cleaned_data["nodepools"])]

    def clean_environment(self) -> dict[str, str | None]:
        """What is not there any more goes: None, as the services take it."""
        values: dict[str, str | None] = {}
        if self.instance.pk:
            values = dict.fromkeys(self.instance.environment.filter(is_secret=False).values_list("name", flat=True))
        for line in _lines(self.cleaned_data["environment"]):
            name, is_pair, value = line.partition("=")
            if not is_pair:
                raise forms.ValidationError(f"{line}: write it as NAME=VALUE.")
            values[name.strip()] = value
        return values


def _lines(text: str) -> Iterable[str]:
    return (line.strip() for line in text.splitlines() if line.strip())


def _address(nodepool: Nodepool) -> str:
    return f"{nodepool.cluster.owner.username}/{nodepool}"


def _nodepool_at(address: str) -> Nodepool:
    user, _, rest = address.partition("/")
    cluster, _, slug = rest.partition("/")
    rows = Nodepool.objects.filter(cluster__owner__username=user, cluster__slug=cluster, slug=slug)
    found = rows.select_related("cluster").first()
    if found is None:
        raise forms.ValidationError(f"There is no nodepool {address}: write it as USER/CLUSTER/NODEPOOL.")
    return found
