"""Calls as Python: our SDK, its asynchronous twin, and the official one."""

from __future__ import annotations

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol.fields import Field, Types
from playground.protocol.signatures import MethodKind, output_field
from playground.sdk.async_model import AsyncModel
from playground.sdk.model import Model
from playground.sdk.snippets.asks import Call, Snippet, is_name
from playground.sdk.snippets.literals import Literals, call, indent, keywords, listed, quote

TOKEN, OFFICIAL_TOKEN = "PLAYGROUND_PAT", "CLARIFAI_PAT"
HIDDEN_TOKEN = "pg_…"
OURS, OFFICIAL_TYPES = "playground.sdk", "clarifai.runners.utils.data_types"
_ENDINGS: dict[int, str] = {Types.IMAGE: "png", Types.AUDIO: "wav", Types.VIDEO: "mp4", Types.BYTES: "bin"}
_OFFICIAL_FIELDS = frozenset(resources_pb2.Model.DESCRIPTOR.fields_by_name)


def write_sync(asked: Call) -> Snippet:
    literals = Literals(asked.files)
    arguments = _arguments(literals, asked)
    literals.use("Model")
    model = call("Model", [quote(asked.reference), *_connection(asked, TOKEN, "token"), *_place(asked)])
    asking = call(f"model{_method(asked)}", arguments)
    lines = [f"model = {model}"]
    if asked.kind is MethodKind.UNARY:
        lines += _assigned("answer", asking, literals, asked)
    else:
        lines += [f"with {asking} as answers:", *_each("for", "answers", literals, asked, deep=1)]
    return _ours(asked, literals, lines)


def write_async(asked: Call) -> Snippet:
    literals = Literals(asked.files)
    arguments = _arguments(literals, asked)
    literals.use("AsyncClient")
    literals.modules.add("asyncio")
    client = call("AsyncClient", _connection(asked, TOKEN, "token"))
    model = call("client.model", [quote(asked.reference), *_place(asked)])
    asking = call(f"model{_method(asked)}", arguments)
    body = [f"model = {model}"]
    if asked.kind is MethodKind.UNARY:
        body += _assigned("answer", f"await {asking}", literals, asked)
    else:
        body += [f"async with {asking} as answers:", *_each("async for", "answers", literals, asked, deep=1)]
    inner = "\n".join(indent(line, 8) for line in body)
    lines = [f"async def main() -> None:\n    async with {indent(client).lstrip()} as client:\n{inner}", ""]
    return _ours(asked, literals, [*lines, "", "asyncio.run(main())"])


def write_official(asked: Call) -> Snippet:
    literals = Literals(asked.files)
    arguments = _arguments(literals, asked, is_official=True)
    address = asked.ask.address
    facts = {"user_id": address.user_id, "app_id": address.app_id, "model_id": address.model_id}
    parts = [f"{name}={quote(value)}" for name, value in facts.items()]
    if address.version_id:
        parts.append(f'model_version={{"id": {quote(address.version_id)}}}')
    parts += [*_connection(asked, OFFICIAL_TOKEN, "pat"), *_place(asked, asked.ask.place_user_id)]
    via = ".client" if asked.method in _OFFICIAL_FIELDS else ""
    asking = call(f"model{via}.{asked.method}", arguments)
    lines = [f"model = {call('Model', parts)}"]
    if asked.kind is MethodKind.UNARY:
        lines += _assigned("answer", asking, literals, asked)
    else:
        lines += _each("for", asking, literals, asked, deep=0)
    imports = ["from clarifai.client import Model"]
    if literals.classes:
        imports.append(f"from {OFFICIAL_TYPES} import {', '.join(sorted(literals.classes))}")
    if "numpy as np" in literals.modules:
        imports.insert(0, "import numpy as np")
    return Snippet(
        code=_script(literals, imports, lines),
        install="pip install clarifai",
        variables=((OFFICIAL_TOKEN, HIDDEN_TOKEN), *((name, "…") for name in asked.secrets)),
    )


def _ours(asked: Call, literals: Literals, lines: list[str]) -> Snippet:
    imports = [f"from {OURS} import {', '.join(sorted(literals.classes))}"]
    if "numpy as np" in literals.modules:
        imports = ["import numpy as np", "", *imports]
    return Snippet(
        code=_script(literals, imports, lines),
        variables=((TOKEN, HIDDEN_TOKEN), *((name, "…") for name in asked.secrets)),
        note="The SDK comes with the playground: pip install -e . in its folder.",
    )


def _script(literals: Literals, imports: list[str], lines: list[str]) -> str:
    standard = sorted(f"import {name}" for name in {"os", *literals.modules} - {"numpy as np"})
    if literals.has_paths:
        standard.append("from pathlib import Path")
    gap = ["", ""] if lines[0].startswith("async def") else [""]
    return "\n".join([*standard, "", *imports, *gap, *lines]) + "\n"


def _connection(asked: Call, variable: str, name: str) -> list[str]:
    return [f"base_url={quote(asked.ask.base_url)}", f"{name}=os.environ[{quote(variable)}]"]


def _place(asked: Call, user_id: str = "") -> list[str]:
    """Where it goes, if anywhere in particular; ``user_id`` is whose that is, for who must be told."""
    selector = asked.ask.selector
    whose = user_id or selector.deployment_user_id
    facts = {
        "deployment_id": selector.deployment_id,
        "compute_cluster_id": selector.compute_cluster_id,
        "nodepool_id": selector.nodepool_id,
    }
    given = {name: value for name, value in facts.items() if value}
    if given and whose:
        given["deployment_user_id"] = whose
    return [f"{name}={quote(value)}" for name, value in given.items()]


def _method(asked: Call) -> str:
    """How our SDK calls it: by its name, or by ``method`` where that name is one of ours."""
    name = asked.method
    is_ours = hasattr(Model, name) or hasattr(AsyncModel, name) or name.startswith("_") or not is_name(name)
    return f".method({quote(name)})" if is_ours else f".{name}"


def _arguments(literals: Literals, asked: Call, *, is_official: bool = False) -> list[str]:
    written: dict[str, str] = {}
    for one in asked.arguments:
        if one.field.iterator:
            items = listed(literals.write(one.field, item) for item in one.plain)
            written[one.name] = f"iter({items})" if is_official else items
        else:
            written[one.name] = literals.write(one.field, one.plain)
    return keywords(written)


def _assigned(name: str, asking: str, literals: Literals, asked: Call) -> list[str]:
    shown = output_field(asked.ask.signature)
    return [f"{name} = {asking}", *_show(name, shown, literals, file=f'"{name}{{}}"')]


def _each(loop: str, source: str, literals: Literals, asked: Call, *, deep: int) -> list[str]:
    """A loop over the pieces; files are numbered."""
    shown = output_field(asked.ask.signature)
    if shown.type in (Types.STR, Types.TEXT) and asked.kind is MethodKind.GENERATE:
        body = [f'print({_words_of("piece", shown)}, end="", flush=True)']
    else:
        body = _show("piece", shown, literals, file='f"answer-{number}{}"')
    is_numbered = shown.type in _ENDINGS
    lines = [f"{loop} piece in {source}:", *(indent(line) for line in body)]
    if is_numbered:
        lines = ["number = 0", *lines, indent("number += 1")]
    return [indent(line, 4 * deep) if deep else line for line in lines]


def _show(name: str, shown: Field, literals: Literals, *, file: str) -> list[str]:
    """What the program does with a value: files are written, all else is printed."""
    if ending := _ENDINGS.get(shown.type):
        literals.has_paths = True
        content = name if shown.type == Types.BYTES else f"{name}.bytes"
        return [f"Path({file.replace('{}', f'.{ending}')}).write_bytes({content})"]
    if shown.type == Types.LIST:
        return [f"for item in {name}:", indent("print(item)")]
    return [f"print({_words_of(name, shown)})"]


def _words_of(name: str, shown: Field) -> str:
    return f"{name}.text" if shown.type == Types.TEXT else name
