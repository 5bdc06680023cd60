"""What a replica that is an official runner answers, with its weaknesses worked around; a real one stands behind."""

from __future__ import annotations

import asyncio
import http.server
import threading
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.compute.engines.base import Endpoint
from playground.compute.engines.probes import OFFICIAL, ProbeError, ask_methods, check_health, look, open_channel
from playground.gateway.dialect import Dialect
from playground.gateway.official import OfficialReplica
from playground.gateway.replicas import GrpcReplica, connect
from playground.protocol.errors import InputError, ModelError, NotFoundError, OverloadedError, ServerError
from playground.protocol.pipes import CallHead, Rpc
from playground.protocol.signatures import signatures_from_json
from playground.runner.methods import fenced_fetch
from tests import official

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from playground.gateway.replicas import Replica

Data = resources_pb2.Data
Reply = service_pb2.MultiOutputResponse


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[official.OfficialRunner]:
    with official.running(tmp_path_factory.mktemp("weak")) as started:
        yield started


@pytest_asyncio.fixture
async def endpoint(runner: official.OfficialRunner) -> Endpoint:
    channel = open_channel(Endpoint(runner.address))
    found = await look(channel)
    await channel.close()
    return Endpoint(runner.address, dialect=found.dialect, signatures=found.signatures)


@pytest_asyncio.fixture
async def replica(endpoint: Endpoint) -> AsyncIterator[Replica]:
    made = connect(endpoint)
    yield made
    await made.close()


@pytest.fixture
def web_page(tmp_path: Path) -> Iterator[str]:
    """The address of five bytes at this machine."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"12345")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/page"
        server.shutdown()


def said(text: str) -> Data:
    return Data(string_value=text)


def image(url: str) -> Data:
    return Data(image=resources_pb2.Image(url=url))


def call(method: str | None, *inputs: dict[str, Data], **arguments: Data) -> bytes:
    """A request for ``method`` with these arguments, or with several inputs."""
    made = []
    for one in inputs or (arguments,):
        made.append(Data(parts=[resources_pb2.Part(id=name, data=value) for name, value in one.items()]))
        if method is not None:
            made[-1].metadata["_method_name"] = method
    return requests(*made)


def requests(*inputs: Data) -> bytes:
    request = service_pb2.PostModelOutputsRequest(inputs=[resources_pb2.Input(data=data) for data in inputs])
    return bytes(request.SerializeToString())


async def post(replica: Replica, request: bytes, *, is_owner: bool = False) -> Any:
    return Reply.FromString(await replica.post(CallHead(Rpc.POST, "id", is_owner), request))


async def answer(replica: Replica, method: str, **arguments: Data) -> Data:
    reply = await post(replica, call(method, **arguments))
    assert reply.status.code == StatusCode.SUCCESS, reply.status
    (part,) = reply.outputs[0].data.parts
    assert part.id == "return"
    return part.data


async def pieces(replica: Replica, rpc: Rpc, *messages: bytes) -> list[Any]:
    upstream = await replica.open(CallHead(rpc, "id"), messages[0])
    replies = []
    try:
        for message in messages[1:]:
            await upstream.write(message)
        if rpc is Rpc.STREAM:
            await upstream.done_writing()
        while (reply := await upstream.read()) is not None:
            replies.append(Reply.FromString(reply))
    finally:
        upstream.end()
    return replies


def texts(replies: list[Any]) -> list[str]:
    return [reply.outputs[0].data.parts[0].data.string_value for reply in replies]


# -- arguments left out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [{}, {"text": said("x")}])
async def test_a_first_number_that_is_left_out_has_its_default(replica: Replica, arguments: dict[str, Data]) -> None:
    assert (await answer(replica, "warm", **arguments)).float_value == 0.7


async def test_a_first_number_of_zero_stays_zero(replica: Replica) -> None:
    assert (await answer(replica, "warm", temperature=Data())).float_value == 0.0


async def test_a_first_list_that_is_left_out_is_not_made_of_the_other_arguments(replica: Replica) -> None:
    assert (await answer(replica, "words", text=said("a"), more=said("b"))).string_value == "['end']"
    assert (await answer(replica, "unset", text=said("a"))).string_value == "None"
    assert (await answer(replica, "pair", text=said("a"))).string_value == "(2, 3)"


async def test_a_call_without_arguments_gets_its_zero(replica: Replica) -> None:
    assert (await answer(replica, "zero")).ByteSize() == 0


async def test_what_was_left_out_elsewhere_is_the_models_business(replica: Replica) -> None:
    assert (await answer(replica, "predict", text=said("a"))).string_value == "a"
    assert (await answer(replica, "tone")).string_value == "low"


# -- arguments that do not fit ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "arguments", "words"),
    [
        ("predict", {"count": Data(int_value=9)}, 'argument "count" must be between 1 and 3, not 9'),
        ("predict", {"count": said("two")}, 'argument "count" must be sent as int_value, not string_value'),
        ("predict", {"tempo": said("x")}, '"predict" has no argument "tempo"'),
        ("tone", {"tone": said("mid")}, 'argument "tone" must be one of low, high'),
        ("half", {}, '"half" needs the argument "number"'),
        ("generate", {"text": said("x")}, '"generate" answers in pieces: call it with GenerateModelOutputs'),
    ],
)
async def test_what_does_not_fit_never_reaches_the_runner(
    replica: Replica, method: str, arguments: dict[str, Data], words: str
) -> None:
    with pytest.raises(InputError) as refused:
        await post(replica, call(method, **arguments))
    assert words in refused.value.message


async def test_an_unknown_method_is_refused_with_those_that_there_are(replica: Replica) -> None:
    with pytest.raises(NotFoundError) as refused:
        await post(replica, call("sing"))
    assert "its methods are predict, generate, stream" in refused.value.message


async def test_a_request_without_inputs_and_no_request_at_all_are_refused(replica: Replica) -> None:
    for content in (requests(), b"\xff\xff"):
        with pytest.raises(InputError):
            await post(replica, content)


async def test_a_whole_number_for_a_fraction_and_a_text_for_a_string_are_understood(replica: Replica) -> None:
    assert (await answer(replica, "half", number=Data(int_value=3))).float_value == 1.5
    assert (await answer(replica, "predict", text=Data(text=resources_pb2.Text(raw="a")))).string_value == "a"
    assert (await answer(replica, "read", text=said("plain"))).string_value == "plain"


async def test_each_input_of_a_batch_is_looked_at(replica: Replica) -> None:
    reply = await post(replica, call("warm", {}, {"temperature": Data(float_value=1.5)}))
    assert [output.data.parts[0].data.float_value for output in reply.outputs] == [0.7, 1.5]
    with pytest.raises(InputError):
        await post(replica, call("half", {"number": Data(float_value=1)}, {}))


async def test_all_inputs_of_a_batch_are_for_one_method(replica: Replica) -> None:
    one, two = Data(parts=[resources_pb2.Part()]), Data(parts=[resources_pb2.Part()])
    one.metadata["_method_name"], two.metadata["_method_name"] = "zero", "warm"
    with pytest.raises(InputError, match="the same method"):
        await post(replica, requests(one, two))


# -- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "/etc/passwd", "http://127.0.0.1:1/x", "http://169.254.169.254/"]
)
async def test_the_runner_reads_no_files_and_nothing_inside(replica: Replica, url: str) -> None:
    for content in (call("size", picture=image(url)), requests(image(url))):
        with pytest.raises(InputError) as refused:
            await post(replica, content)
        assert "fetched" in refused.value.message


async def test_an_address_beside_the_arguments_is_refused(replica: Replica) -> None:
    data = Data(
        parts=[resources_pb2.Part(id="text", data=said("x"))], image=resources_pb2.Image(url="file:///etc/passwd")
    )
    data.metadata["_method_name"] = "predict"
    with pytest.raises(InputError, match="beside the arguments"):
        await post(replica, requests(data))


async def test_an_address_is_fetched_here_and_its_content_sent(endpoint: Endpoint, web_page: str) -> None:
    dialect = Dialect(signatures_from_json(endpoint.signatures), fenced_fetch(["127.0.0.0/8"]))
    replica = OfficialReplica(GrpcReplica(endpoint), dialect)
    assert (await answer(replica, "size", picture=image(web_page))).int_value == 5
    assert (await answer(replica, "read", text=Data(text=resources_pb2.Text(url=web_page)))).string_value == "12345"
    await replica.close()


async def test_asking_for_the_methods_follows_no_address(replica: Replica, runner: official.OfficialRunner) -> None:
    reply = await post(replica, call("_GET_SIGNATURES", picture=image("http://127.0.0.1:9/never-asked-for")))
    assert "warm" in signatures_from_json(reply.outputs[0].data.text.raw)
    assert "never-asked-for" not in runner.log


async def test_addresses_in_a_stream_are_fenced_too(replica: Replica) -> None:
    with pytest.raises(InputError, match="fetched"):
        await pieces(
            replica, Rpc.STREAM, call("stream", text=said("a")), call("stream", text=image("file:///etc/passwd"))
        )


# -- answers ---------------------------------------------------------------------------------------------------------


async def test_tracebacks_are_for_the_owner(replica: Replica) -> None:
    for is_owner in (False, True):
        reply = await post(replica, call("fail", text=said("it")), is_owner=is_owner)
        assert reply.status.code == StatusCode.FAILURE
        assert reply.status.description == "no luck with it"
        assert bool(reply.status.stack_trace) is is_owner
        assert is_owner or "File" not in str(reply)


async def test_a_failure_midway_comes_after_what_was_said(replica: Replica) -> None:
    first, last = await pieces(replica, Rpc.GENERATE, call("fail_midway"))
    assert texts([first]) == ["one"]
    assert last.status.description == "no luck at two"
    assert not last.status.stack_trace


async def test_none_is_json_or_refused_in_words(replica: Replica) -> None:
    assert (await answer(replica, "none_as_json")).ByteSize() == 0
    with pytest.raises(ModelError, match='what "nothing" returned must be str, not NoneType'):
        await post(replica, call("nothing"))


async def test_pieces_come_as_they_are(replica: Replica) -> None:
    assert texts(await pieces(replica, Rpc.GENERATE, call("generate", text=said("x")))) == ["0 x ", "1 x ", "2 x "]
    assert await pieces(replica, Rpc.GENERATE, call("silent")) == []


async def test_the_old_form_is_answered_in_the_old_form(replica: Replica) -> None:
    old = Data(text=resources_pb2.Text(raw="old"))
    assert (await post(replica, requests(old))).outputs[0].data.text.raw == "old"
    replies = await pieces(replica, Rpc.GENERATE, requests(old))
    assert [reply.outputs[0].data.text.raw for reply in replies] == ["0 old ", "1 old ", "2 old "]
    replies = await pieces(replica, Rpc.STREAM, requests(old), requests(Data(text=resources_pb2.Text(raw="older"))))
    assert [reply.outputs[0].data.text.raw for reply in replies] == ["weak old", "weak older"]


async def test_an_answer_that_is_no_reply_is_called_so(endpoint: Endpoint) -> None:
    class Mad:
        async def post(self, head: CallHead, request: bytes) -> bytes:
            return self.content

        content = b"\xff\xff"

    mad = Mad()
    replica = OfficialReplica(mad, Dialect(signatures_from_json(endpoint.signatures), fenced_fetch(())))  # type: ignore[arg-type]
    for mad.content in (b"\xff\xff", b"", Reply(status={"code": StatusCode.SUCCESS}).SerializeToString()):
        with pytest.raises(ServerError):
            await post(replica, call("zero"))


# -- streams ---------------------------------------------------------------------------------------------------------


async def test_an_item_that_does_not_fit_ends_its_stream_in_words(replica: Replica) -> None:
    assert texts(await pieces(replica, Rpc.STREAM, *(call("stream", text=said(one)) for one in "ab"))) == [
        "weak a",
        "weak b",
    ]
    with pytest.raises(InputError, match='argument "text" must be sent as string_value'):
        await pieces(replica, Rpc.STREAM, call("stream", text=said("a")), call("stream", text=Data(int_value=3)))


async def test_a_message_without_an_item_is_left_out_of_a_stream(replica: Replica) -> None:
    replies = await pieces(
        replica, Rpc.STREAM, call("stream", text=said("a")), call("stream"), call("stream", text=said("b"))
    )
    assert texts(replies) == ["weak a", "weak b"]


async def test_a_stream_without_a_first_item_is_refused(replica: Replica) -> None:
    with pytest.raises(InputError, match='begins with an item of "text"'):
        await pieces(replica, Rpc.STREAM, call("stream"), call("stream", text=said("b")))


# -- many at once ----------------------------------------------------------------------------------------------------


async def test_a_full_runner_is_busy_and_well(tmp_path: Path) -> None:
    with official.running(tmp_path, "--pool_size", "1", "--max_queue_size", "1") as small:
        channel = open_channel(Endpoint(small.address))
        found = await look(channel)
        assert found.dialect == OFFICIAL
        replica = connect(Endpoint(small.address, dialect=OFFICIAL, signatures=found.signatures))
        waiting = [asyncio.create_task(post(replica, call("wait", seconds=Data(float_value=1.5)))) for _ in range(3)]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert [type(task.exception()) for task in done] == [OverloadedError]
        streams = [pieces(replica, Rpc.STREAM, call("stream", text=said("a"))) for _ in range(40)]
        held = await asyncio.gather(*streams, return_exceptions=True)
        assert {(type(one), getattr(one, "code", None)) for one in held} == {
            (OverloadedError, StatusCode.RPC_REQUEST_QUEUE_FULL)
        }
        assert await check_health(channel) is False
        with pytest.raises(ProbeError) as slow:
            await ask_methods(channel)
        assert slow.value.is_slow
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert sum(isinstance(result, Reply) for result in results) == 2
        await replica.close()
        await channel.close()
