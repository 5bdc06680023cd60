"""Forms of the catalog: signing in."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from playground.catalog import links
from playground.catalog.models import User

REFUSED = "This link or token does not sign anyone in. It may be of an earlier start, lapsed, or revoked."


class SignInForm(forms.Form):
    """Takes the link that the terminal shows, its token alone, or an access token."""

    token = forms.CharField(
        label="Link or access token",
        max_length=2048,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "input input--mono"}),
    )
    user: User

    def clean_token(self) -> str:
        text: str = self.cleaned_data["token"]
        user = links.user_of(text)
        if user is None:
            raise ValidationError(REFUSED)
        self.user = user
        return text
