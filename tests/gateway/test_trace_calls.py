"""A call leaves its request id in every log that it passes, and is counted."""

from __future__ import annotations

import re
from pathlib import Path

from tests.gateway import live
from tests.gateway.live import Live, ask


def lines_of(path: Path, request_id: str) -> list[str]:
    return [line for line in path.read_text().splitlines() if request_id in line] if path.exists() else []


def test_one_id_leads_from_the_reply_to_the_runners_log(gateway: Live) -> None:
    status = gateway.predict(ask("it", "fail")).status
    logs = gateway.data / "logs"
    live.wait_for(lambda: lines_of(logs / "calls.log", status.req_id), "the line of the call")
    [line] = lines_of(logs / "calls.log", status.req_id)
    assert re.search(r": owner, shared-echo, fail: FAILURE, 0 outputs, \d+\.\d ms$", line)
    [runner] = logs.glob("*-shared-echo.log")
    assert lines_of(runner, status.req_id)


def test_every_call_has_one_line(gateway: Live) -> None:
    logs = gateway.data / "logs"
    replies = [gateway.predict(ask()), *gateway.generate(ask(method="generate")), gateway.predict(ask(model="nope"))]
    ids = {reply.status.req_id for reply in replies}
    assert len(ids) == 3
    for request_id in ids:
        live.wait_for(lambda name=request_id: lines_of(logs / "calls.log", name), "the line of the call")
        assert len(lines_of(logs / "calls.log", request_id)) == 1
    refused = replies[-1].status.req_id
    assert "owner, nowhere, predict: MODEL_DOES_NOT_EXIST" in lines_of(logs / "calls.log", refused)[0]
    assert lines_of(logs / "gateway-server.log", refused), "a refusal's words stand in the gateway's own log"


def test_no_log_has_a_token(gateway: Live) -> None:
    gateway.predict(ask())
    gateway.predict(ask(), token="pg_wrong_and_secret")
    for path in (gateway.data / "logs").iterdir():
        content = path.read_text()
        assert gateway.tokens["owner"] not in content
        assert "wrong_and_secret" not in content


def test_calls_are_counted(gateway: Live) -> None:
    gateway.predict(ask())
    for _ in range(2):
        gateway.predict(ask(method="nowhere"))
    gateway.generate(ask("it", "also_nowhere"))
    wanted = [["also_nowhere CONN_DOES_NOT_EXIST", 1, 0], ["nowhere CONN_DOES_NOT_EXIST", 2, 0]]
    live.wait_for(lambda: [row for row in gateway.django(COUNTS) if "nowhere" in row[0]] == wanted, "the counts")
    outputs = {key: (calls, outputs) for key, calls, outputs in gateway.django(COUNTS)}
    assert outputs["predict SUCCESS"][0] == outputs["predict SUCCESS"][1] > 0


COUNTS = """
from django.db.models import Sum
from playground.compute.usage.models import Usage
rows = Usage.objects.filter(span=60, deployment="owner/shared-echo").values_list("method", "outcome").order_by("method")
print(json.dumps([(f"{m} {o}", c, n) for m, o, c, n in rows.annotate(Sum("calls"), Sum("outputs"))]))
"""
