"""Secrets lie sealed in the database, are opened for runners alone, and are told by nothing else."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core import serializers

from playground.compute import services
from playground.compute.models import Deployment, EnvironmentVariable
from playground.compute.secrets import open_sealed, seal
from playground.protocol.errors import ConfigError, InputError
from tests.compute.conftest import House

pytestmark = pytest.mark.django_db
SECRET = "the moon is made of Köse"


@pytest.fixture
def deployment(house: House) -> Deployment:
    return services.create_deployment(
        house.ada, "mine", house.model, nodepools=[house.shared], environment={"A": "1"}, secrets={"KEY": SECRET}
    )


def test_what_is_sealed_is_opened_again() -> None:
    assert open_sealed(seal(SECRET)) == SECRET
    assert seal(SECRET) != seal(SECRET)


def test_the_key_is_its_owner_s_alone() -> None:
    file = Path(settings.DATA_DIR) / "sealing_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == settings.SEALING_KEY
    assert file.read_text() not in (Path(settings.DATA_DIR) / "secret_key").read_text()


def test_a_row_holds_no_word_of_it(deployment: Deployment) -> None:
    row = EnvironmentVariable.objects.get(name="KEY")
    assert (row.value, row.is_secret, str(row)) == ("", True, "KEY")
    kept = serializers.serialize("json", [row, deployment])
    assert "moon" not in kept
    assert "moon" not in json.dumps(bytes(row.sealed).decode())
    assert services.environment_of(deployment) == {"A": "1", "KEY": SECRET}


def test_another_key_opens_nothing(deployment: Deployment, settings: object) -> None:
    settings.SEALING_KEY = Fernet.generate_key().decode()  # type: ignore[attr-defined]  # pytest-django's
    with pytest.raises(ConfigError, match=r"KEY: A secret cannot be opened.*Set it again"):
        services.environment_of(deployment)
    services.edit_deployment(deployment.owner, deployment, secrets={"KEY": "new"})
    assert services.environment_of(deployment)["KEY"] == "new"


def test_a_key_that_is_none_says_so(settings: object) -> None:
    settings.SEALING_KEY = "short"  # type: ignore[attr-defined]  # pytest-django's
    with pytest.raises(ConfigError, match="sealing_key"):
        seal(SECRET)


@pytest.mark.parametrize("name", ["1KEY", "PLAYGROUND_KEY", "PYTHONPATH"])
def test_a_refusal_does_not_say_the_value(house: House, name: str) -> None:
    for values in ({"secrets": {name: SECRET}}, {"secrets": {"KEY": SECRET * 10_000}}):
        with pytest.raises(InputError) as refused:
            services.create_deployment(house.ada, "mine", house.model, nodepools=[house.shared], **values)
        assert "moon" not in str(refused.value)


def test_an_administrator_sets_what_is_powerful(house: House) -> None:
    made = services.create_deployment(
        house.owner, "mine", house.model, nodepools=[house.shared], environment={"LD_LIBRARY_PATH": "/opt/cuda/lib64"}
    )
    assert services.environment_of(made) == {"LD_LIBRARY_PATH": "/opt/cuda/lib64"}
