"""Forms of the catalog: signing in, access tokens, sharing an app."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from playground.catalog import links
from playground.catalog.access import Role
from playground.catalog.models import PRIVATE, VISIBILITIES, User

REFUSED = "This link or token does not sign anyone in. It may be of an earlier start, lapsed, or revoked."


class SignInForm(forms.Form):
    """Takes the link that the terminal shows, its token alone, or an access token."""

    token = forms.CharField(
        label="Link or access token",
        max_length=2048,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "input input--mono", "autofocus": True}
        ),
    )
    user: User

    def clean_token(self) -> str:
        text: str = self.cleaned_data["token"]
        user = links.user_of(text)
        if user is None:
            raise ValidationError(REFUSED)
        self.user = user
        return text


class MemberForm(forms.Form):
    """A user by name, and what they are to be."""

    name = forms.CharField(
        label="User",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "input input--mono"}),
    )
    role = forms.ChoiceField(
        choices=[(role.value, role.value.capitalize()) for role in Role],
        initial=Role.VIEWER,
        widget=forms.Select(attrs={"class": "input input--select"}),
    )


class TokenForm(forms.Form):
    """What a new access token is called, and for how long it opens anything; no days are for ever."""

    name = forms.CharField(
        label="What is it for?",
        max_length=100,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "class": "input",
                "placeholder": "Notebook on my laptop",
                "data-lpignore": "true",
            }
        ),
        error_messages={"required": "A name is needed, so that you know later which one to revoke."},
    )
    days = forms.TypedChoiceField(
        label="Lapses",
        choices=[("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), ("", "Never")],
        coerce=int,
        empty_value=None,
        required=False,
        initial="90",
        widget=forms.Select(attrs={"class": "input input--select"}),
    )


class VisibilityForm(forms.Form):
    """Of the app, or of the model that is named; ``sure`` answers the question before something becomes public."""

    model = forms.CharField(required=False, max_length=64)
    visibility = forms.TypedChoiceField(choices=VISIBILITIES, coerce=int)
    sure = forms.BooleanField(required=False)

    def clean(self) -> dict[str, object]:
        given: dict[str, object] = super().clean() or {}
        if given.get("visibility") not in (None, PRIVATE) and not given.get("sure"):
            raise ValidationError("Making something public needs the answer yes. Nothing was changed.")
        return given
