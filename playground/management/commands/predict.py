"""``manage.py predict``: ask a model from the terminal, through the gateway, as the owner."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from playground.catalog.services import OWNER_ID
from playground.catalog.tokens import mint_gateway_token
from playground.management.base import PlaygroundCommand, find_user
from playground.protocol.fields import Types
from playground.protocol.plain import content_type_of
from playground.protocol.signatures import MethodKind, Signature, describe_type, kind_of
from playground.sdk import Client, InputError, Model, Waiting
from playground.sdk.config import TOKEN_VARIABLES
from playground.sdk.oldform import MEDIUM_OF
from playground.sdk.texts import parse_content, parse_value, show

TEXTS = (Types.STR, Types.TEXT)
FILES = (Types.IMAGE, Types.AUDIO, Types.VIDEO, Types.BYTES)


class Command(PlaygroundCommand):
    help = "Ask a model and print its answer as it comes."
    _told, _told_at = "", 0.0

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "ref", help="MODEL, APP/MODEL, USER/APP/models/MODEL[/versions/VERSION] or a page's address"
        )
        parser.add_argument("text", nargs="?", help="the text to ask about; what is piped in, where it is left out")
        parser.add_argument(
            "-i",
            "--input",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="an argument; @path for a file, @@ for @",
        )
        parser.add_argument("--method", help="which method (the first that streams its answer, else the first)")
        parser.add_argument("--deployment", default="", metavar="D", help="ask this deployment; another's as USER/D")
        parser.add_argument("--cluster", default="", metavar="C", help="ask the deployment in this cluster ...")
        parser.add_argument("--nodepool", default="", metavar="N", help="... on this nodepool")
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--url", metavar="U", help="what to ask about, by its address")
        source.add_argument("--file", metavar="F", help="what to ask about, as a file; - is standard input")
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]  # TEXT may follow options
        parser.add_argument("--timeout", type=float, metavar="S", help="give up after so many seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        with self.open_client(options["timeout"]) as client:
            owner, _, deployment = options["deployment"].rpartition("/")
            model = client.model(
                options["ref"],
                deployment_id=deployment,
                deployment_user_id=owner,
                compute_cluster_id=options["cluster"],
                nodepool_id=options["nodepool"],
            )
            try:
                self.ask(model, options)
            except KeyboardInterrupt:
                self.stderr.write("\nStopped.")
                raise SystemExit(130) from None
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has left: that is no error

    def open_client(self, timeout: float | None) -> Client:
        """The gateway of these settings, as the owner; with a token from the environment, whoever that is."""
        host = "127.0.0.1" if settings.GATEWAY_HOST in ("0.0.0.0", "") else settings.GATEWAY_HOST
        host = "::1" if host == "::" else host
        base_url = f"[{host}]:{settings.GATEWAY_PORT}" if ":" in host else f"{host}:{settings.GATEWAY_PORT}"
        token: str | Callable[[], str] = next(
            (given for name in TOKEN_VARIABLES if (given := os.environ.get(name))), ""
        )
        if not token:
            owner = find_user(OWNER_ID)
            token = lambda: mint_gateway_token(owner)  # noqa: E731 - it lives for 60 s, a call may outlive it
        return Client(base_url, token, timeout=timeout, stream_timeout=timeout, on_wait=self.tell_wait)

    def tell_wait(self, waiting: Waiting) -> None:
        """One line for each news, and every ten seconds without."""
        if waiting.message != self._told or waiting.waited_seconds > self._told_at + 10:
            self._told, self._told_at = waiting.message, waiting.waited_seconds
            self.stderr.write(f"{waiting.message} ({waiting.waited_seconds:.0f} s)")
            self.stderr.flush()

    def ask(self, model: Model, options: dict[str, Any]) -> None:
        signature = choose(model.signatures(), options["method"])
        arguments = read_inputs(signature, options["input"])
        if options["url"] and (field := plain_text_field(signature, arguments)):
            self.ask_by_url(model, signature, options["url"], field, arguments)
            return
        fill_main(signature, arguments, text=options["text"], url=options["url"], path=options["file"])
        if kind_of(signature) is MethodKind.UNARY:
            self.write_piece(model.call(signature.name, arguments).value, end="\n")
            return
        with model.open_stream(signature.name, arguments) as stream:
            self.write_pieces((answer.value for answer in stream), are_lines=kind_of(signature) is MethodKind.STREAM)

    def ask_by_url(self, model: Model, signature: Signature, url: str, field: Any, arguments: dict[str, Any]) -> None:
        """A plain text that lies at an address: only the old form can say so."""
        if signature.name not in ("predict", "generate", "stream") or arguments:
            raise CommandError(f"{field.name} is a plain text: give the text itself, or --file.")
        if kind_of(signature) is MethodKind.UNARY:
            self.write_piece(model.predict_by_url(url, "text").outputs[0].data.text.raw, end="\n")
            return
        is_stream = kind_of(signature) is MethodKind.STREAM
        with model.stream_by_url([url], "text") if is_stream else model.generate_by_url(url, "text") as stream:
            self.write_pieces((reply.outputs[0].data.text.raw for reply in stream), are_lines=is_stream)

    def write_pieces(self, pieces: Iterable[Any], *, are_lines: bool) -> None:
        """The texts of one answer run on as they come; anything else gets lines of its own."""
        ends_open = False
        try:
            for piece in pieces:
                is_text = isinstance(piece, str) and not are_lines
                self.write_piece(piece, end="" if is_text else "\n")
                ends_open = is_text and not piece.endswith("\n") if piece else ends_open
        finally:
            if ends_open:
                self.stdout.write("")

    def write_piece(self, value: Any, *, end: str) -> None:
        self.stdout.write(show(value, keep_file), ending=end)
        self.stdout.flush()


def choose(known: dict[str, Signature], name: str | None) -> Signature:
    """The method asked for, else the first that streams its answer, else the first with one answer, else the first."""
    if name is not None:
        if name not in known:
            raise CommandError(f"There is no method {name}. There are: {', '.join(known) or 'none'}.")
        return known[name]
    for kind in (MethodKind.GENERATE, MethodKind.UNARY, MethodKind.STREAM):
        for signature in known.values():
            if kind_of(signature) is kind:
                return signature
    raise CommandError("This model has no methods.")


def read_inputs(signature: Signature, given: list[str]) -> dict[str, Any]:
    """``-i name=value`` by the signature's types; of a stream's argument, each is one input."""
    fields = {field.name: field for field in signature.input_fields}
    arguments: dict[str, Any] = {}
    for one in given:
        name, is_pair, text = one.partition("=")
        if not is_pair:
            raise CommandError(f"-i {one}: write it as NAME=VALUE.")
        if name not in fields:
            takes = ", ".join(f"{field.name} ({describe_type(field)})" for field in fields.values())
            raise CommandError(f"{signature.name} has no argument {name}. It takes: {takes or 'none'}.")
        value = parse_value(fields[name], text)
        if fields[name].iterator:
            arguments.setdefault(name, []).append(value)
        else:
            arguments[name] = value
    return arguments


def plain_text_field(signature: Signature, arguments: dict[str, Any]) -> Any | None:
    """The argument that an address would go to, where it is a text that cannot hold one."""
    field = find_field(signature, arguments, (*FILES, Types.TEXT)) or find_field(signature, arguments, TEXTS)
    return field if field is not None and field.type == Types.STR else None


def find_field(signature: Signature, arguments: dict[str, Any], kinds: tuple[Any, ...]) -> Any | None:
    open_fields = [field for field in signature.input_fields if field.name not in arguments and field.type in kinds]
    return next((field for field in open_fields if field.required or field.iterator), next(iter(open_fields), None))


def fill_main(
    signature: Signature, arguments: dict[str, Any], *, text: str | None, url: str | None, path: str | None
) -> None:
    """Puts what is asked about where the method takes it: given text, address or file, or standard input."""
    if url is not None or path is not None:
        put(signature, arguments, (*FILES, Types.TEXT), TEXTS, url or path or "", read_address if url else read_path)
    if text is not None:
        put(signature, arguments, TEXTS, (Types.JSON_DATA,), text, parse_value)
        return
    field = find_field(signature, arguments, TEXTS) or find_field(signature, arguments, FILES)
    if field is None or not (field.required or field.iterator) or sys.stdin is None or sys.stdin.isatty():
        return
    if field.type in FILES:
        if content := sys.stdin.buffer.read():
            value = parse_content(field, content)
            arguments[field.name] = [value] if field.iterator else value
    elif field.iterator:
        arguments[field.name] = (line for line in read_lines())
    elif piped := sys.stdin.read():
        arguments[field.name] = parse_value(field, piped.removesuffix("\n"))


def put(
    signature: Signature,
    arguments: dict[str, Any],
    first: tuple[Any, ...],
    then: tuple[Any, ...],
    source: str,
    read: Callable[[Any, str], Any],
) -> None:
    field = find_field(signature, arguments, first) or find_field(signature, arguments, then)
    if field is None:
        raise CommandError(f"{signature.name} has no argument left for {source!r}. Name one with -i NAME=VALUE.")
    value = read(field, source)
    arguments[field.name] = [value] if field.iterator else value


def read_address(field: Any, url: str) -> Any:
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{url!r} is no http address.")
    if field.type not in MEDIUM_OF:
        raise InputError(f"{field.name} cannot be given by an address.")
    return parse_value(field, url)


def read_path(field: Any, path: str) -> Any:
    try:
        return parse_content(field, sys.stdin.buffer.read() if path == "-" else Path(path).expanduser().read_bytes())
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from None


def read_lines() -> Iterator[str]:
    for line in sys.stdin:
        yield line.removesuffix("\n")


def keep_file(content: bytes, kind: str) -> str:
    """Writes bytes that came back into the current folder, over nothing that is there; gives the file's name."""
    ending = content_type_of(content).partition("/")[2].removeprefix("x-").replace("octet-stream", "bin")
    for number in range(1, 10_000):
        path = Path(f"{kind}-{number}.{ending}")
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            continue
        except OSError as error:
            raise CommandError(f"Cannot write {path}: {error.strerror}.") from None
        return str(path)
    raise CommandError(f"There are too many files named {kind}-N here.")
