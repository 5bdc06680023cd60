"""A model that ends its runner again and again is given up, with its reason; one click of its owner brings it back."""

from __future__ import annotations

import re
import time

import pytest

from playground.sdk import ConflictError, PlaygroundError
from tests.live import Stack
from tests.stack.conftest import Person
from tests.stack.test_keep_out import OPEN
from tests.stack.test_refuse_calls import troubled


@pytest.fixture(scope="module")
def worn_out(stack: Stack, owner: Person, stranger: Person) -> None:
    """Everybody may see the model; and it has left five times within a minute."""
    stack.manage("shell", "--no-imports", "-c", OPEN.format(visibility=50))
    end = time.monotonic() + 30
    model = troubled(owner).using(timeout=10)
    while time.monotonic() < end:
        try:
            model.leave("my secret")
        except ConflictError:
            return
        except PlaygroundError:
            continue
    raise TimeoutError("it was never given up")


@pytest.mark.usefixtures("worn_out")
def test_its_owner_reads_why_with_the_log(owner: Person) -> None:
    with pytest.raises(PlaygroundError, match="has failed: the runner exited with status 3") as caught:
        troubled(owner).predict("x")
    assert "listening on" in caught.value.details
    page = owner.browser.get("/owner/main/models/troubled").text
    assert "exited with status 3" in page
    assert "listening on" in page
    assert "Retry" in page


@pytest.mark.usefixtures("worn_out")
def test_others_read_why_and_no_log(stranger: Person) -> None:
    with pytest.raises(PlaygroundError, match="has failed: the runner exited with status 3") as caught:
        troubled(stranger).predict("x")
    assert not caught.value.details
    page = stranger.browser.get("/owner/main/models/troubled").text
    assert "exited with status 3" in page
    assert "listening on" not in page
    assert "Retry" not in page


@pytest.mark.usefixtures("worn_out")
def test_retry_is_its_owners_and_brings_it_back(stack: Stack, owner: Person, stranger: Person) -> None:
    found = re.search(r"/deployments/\d+/retry", owner.browser.get("/owner/main/models/troubled").text)
    assert found is not None
    assert stranger.browser.post(found[0]).status_code == 403
    assert owner.browser.post(found[0]).status_code == 302
    stack.wait_ready("troubled")
    assert troubled(owner).predict("x") == "calm: x"
    stack.manage("shell", "--no-imports", "-c", OPEN.format(visibility=10))
