"""Calls as commands of a terminal: ours and the official one."""

from __future__ import annotations

import json
import shlex
from typing import Any

from playground.protocol.fields import Field, Types, default_of, is_secret
from playground.protocol.plain import json_from_plain
from playground.protocol.signatures import MethodKind
from playground.protocol.values import Concept
from playground.sdk.snippets.asks import Argument, Call, Snippet, UnsayableError, parts_of, variable_of
from playground.sdk.snippets.literals import number
from playground.sdk.snippets.scripts import HIDDEN_TOKEN, OFFICIAL_TOKEN, TOKEN

_MEDIA = (Types.IMAGE, Types.AUDIO, Types.VIDEO)
_SIMPLE = (Types.STR, Types.INT, Types.FLOAT, Types.BOOL)
_KINDS: dict[int, str] = {
    Types.CONCEPT: "a concept with a value of its own",
    Types.REGION: "a region",
    Types.FRAME: "a frame",
    Types.IMAGE: "pictures within a list or record",
    Types.AUDIO: "sounds within a list or record",
    Types.VIDEO: "films within a list or record",
    Types.BYTES: "bytes within a list or record",
}


def write_command(asked: Call) -> Snippet:
    words = ["python manage.py predict", shlex.quote(asked.reference), f"--method {shlex.quote(asked.method)}"]
    for one in asked.arguments:
        for given in one.plain if one.field.iterator else [one.plain]:
            words.append(f"-i {_pair(asked, one.field, given)}")
    selector = asked.ask.selector
    if selector.deployment_id:
        whose = f"{selector.deployment_user_id}/" if selector.deployment_user_id else ""
        words.append(f"--deployment {shlex.quote(whose + selector.deployment_id)}")
    if selector.nodepool_id:
        words.append(f"--cluster {shlex.quote(selector.compute_cluster_id)}")
        words.append(f"--nodepool {shlex.quote(selector.nodepool_id)}")
    variables = ((TOKEN, HIDDEN_TOKEN), *((name, "…") for name in asked.secrets))
    note = "Run it in the playground's folder, with its environment. Without a token it asks as the owner."
    return Snippet(code=_lines(words), variables=variables, note=note)


def _pair(asked: Call, one: Field, given: Any) -> str:
    if is_secret(one):
        return f'{one.name}="${variable_of(one)}"'
    return quote(f"{one.name}={_ours_text(asked, one, given)}")


def _ours_text(asked: Call, one: Field, given: Any) -> str:
    """A value as ``-i name=value`` takes it; ``@`` begins a file's name, ``@@`` a text that begins so."""
    if given is None:
        raise UnsayableError(f"A command cannot say that {one.name} is null. Python can.")
    if one.type in _MEDIA:
        return given["url"] if "media" not in given else f"@{_file(asked, given)}"
    if one.type == Types.BYTES and isinstance(given, dict):
        return f"@{_file(asked, given)}"
    if one.type == Types.NDARRAY and isinstance(given, dict):
        return f"@{_file(asked, given.get('ndarray', given))}"
    if one.type == Types.CONCEPT and _is_bare(given["concept"]):
        return _escaped(given["concept"].get("name", ""))
    if one.type == Types.TEXT:
        return _text(one, given)
    text = plain_text(one, given)
    return _escaped(text) if one.type in (Types.STR, Types.BYTES) else text


def _text(one: Field, given: Any) -> str:
    if isinstance(given, dict) and "url" in given:
        return str(given["url"])
    text = given if isinstance(given, str) else given["text"]
    if text.startswith(("http://", "https://")):
        raise UnsayableError(
            f"The command takes what {one.name} begins with for the address of a text. Python does not."
        )
    return _escaped(text)


def _escaped(text: str) -> str:
    return f"@{text}" if text.startswith("@") else text


def _is_bare(facts: dict[str, Any]) -> bool:
    name, value = facts.get("name", ""), facts.get("value", 1.0)
    return value == 1.0 and facts.get("id") in (None, "", Concept(name).id)


def _file(asked: Call, media: Any) -> str:
    return asked.files.get(media["media"], media.get("name", "")) or "file"


def plain_text(one: Field, given: Any) -> str:
    """A value that is text as it is, a number or a switch, or JSON."""
    if one.type in (Types.STR, Types.BYTES):
        return str(given)
    if one.type == Types.BOOL:
        return "true" if given else "false"
    if one.type in (Types.INT, Types.FLOAT):
        return number(given, is_float=one.type == Types.FLOAT).removeprefix('float("').removesuffix('")')
    return json.dumps(as_json(one, given), ensure_ascii=False)


def as_json(one: Field, given: Any) -> Any:
    """A value as JSON. Raises UnsayableError for what JSON cannot hold."""
    if is_secret(one):
        raise UnsayableError(f"A command cannot take the secret {one.name} from the environment, within another value.")
    if given is None or one.type in (Types.STR, Types.BOOL):
        return given
    if one.type in (Types.INT, Types.FLOAT, Types.JSON_DATA) or (one.type == Types.NDARRAY and isinstance(given, list)):
        return json_from_plain(given)
    if one.type == Types.TEXT and (isinstance(given, str) or "text" in given):
        return given if isinstance(given, str) else given["text"]
    if one.type in (Types.LIST, Types.TUPLE):
        return [as_json(inner, item) for inner, item in parts_of(one, given)]
    if one.type == Types.NAMED_FIELDS:
        return {inner.name: as_json(inner, item) for inner, item in parts_of(one, given)}
    raise UnsayableError(f"A command cannot pass {_KINDS.get(one.type, 'such a value')}. Python can.")


def write_official_command(asked: Call) -> Snippet:
    if asked.kind is MethodKind.STREAM:
        raise UnsayableError("The official command line takes no stream of inputs. Its SDK does.")
    address = asked.ask.address
    reference = f"{asked.ask.base_url}/{asked.reference}" if address.version_id else asked.reference
    words = ["clarifai model predict", shlex.quote(reference), f"--method {shlex.quote(asked.method)}"]
    words += _official_arguments(asked)
    selector = asked.ask.selector
    places = {
        "--deployment": selector.deployment_id,
        "--compute_cluster_id": selector.compute_cluster_id,
        "--nodepool_id": selector.nodepool_id,
    }
    given = [f"{flag} {shlex.quote(value)}" for flag, value in places.items() if value]
    if given and asked.ask.place_user_id:
        given.append(f"--deployment_user_id {shlex.quote(asked.ask.place_user_id)}")
    variables = (("CLARIFAI_API_BASE", asked.ask.base_url), (OFFICIAL_TOKEN, HIDDEN_TOKEN))
    secrets = tuple((name, "…") for name in asked.secrets)
    return Snippet(_lines([*words, *given]), "pip install clarifai", (*variables, *secrets))


def _official_arguments(asked: Call) -> list[str]:
    arguments = list(asked.arguments) or _a_default(asked)
    first_medium = next((one for one in asked.ask.signature.input_fields if one.type in _MEDIA), None)
    words, rest = [], {}
    for one in arguments:
        if is_secret(one.field):
            words.append(f'-i {one.name}="${variable_of(one.field)}"')
        elif one.field.type in _SIMPLE and one.plain is not None:
            words.append(f"-i {quote(f'{one.name}={_official_text(one)}')}")
        elif one.field.type in _MEDIA and one.plain is not None:
            if one.field is not first_medium:
                raise UnsayableError("The official command line passes one file in a call. Its SDK passes any number.")
            words.append(_official_medium(asked, one.plain))
        else:
            rest[one.name] = _official_json(one)
    return ([f"--inputs {quote(json.dumps(rest, ensure_ascii=False))}"] if rest else []) + words


def _official_text(one: Argument) -> str:
    text = plain_text(one.field, one.plain)
    looks_like_medium = any(kind in one.name.lower() for kind in ("image", "video", "audio"))
    if one.field.type == Types.STR and looks_like_medium and text.startswith(("http://", "https://")):
        raise UnsayableError(f"The official command line takes the text of {one.name} for a picture's address.")
    return text


def _official_medium(asked: Call, given: Any) -> str:
    return f"--file {quote(_file(asked, given))}" if "media" in given else f"--url {quote(given['url'])}"


def _official_json(one: Argument) -> Any:
    if one.field.type in (Types.NDARRAY, Types.BYTES):
        raise UnsayableError("The official command line passes no arrays or bytes. Its SDK does.")
    try:
        return as_json(one.field, one.plain)
    except UnsayableError as error:
        raise UnsayableError(str(error).replace("A command", "The official command line")) from None


def _a_default(asked: Call) -> list[Argument]:
    """It refuses a call without any argument: so one goes at its default."""
    for one in asked.ask.signature.input_fields:
        if one.type in _SIMPLE and not is_secret(one) and isinstance(default := default_of(one), str | int | float):
            return [Argument(one, default)]
    raise UnsayableError("The official command line calls no method without arguments. Its SDK does.")


def quote(text: str) -> str:
    """One word of a POSIX shell; what would not be seen is written as bash's ``$'…'``."""
    if all(sign.isprintable() or sign == "\n" for sign in text):
        return shlex.quote(text)
    return "$'" + "".join(map(_bash, text)) + "'"


def _bash(sign: str) -> str:
    if sign == "\n":
        return "\\n"
    if sign in "\\'":
        return f"\\{sign}"
    if sign.isprintable():
        return sign
    return "".join(f"\\x{byte:02x}" for byte in sign.encode(errors="replace"))


def _lines(words: list[str]) -> str:
    line = " ".join(words)
    if len(line) <= 80 and "\n" not in line:
        return line + "\n"
    head, rest = " ".join(words[:2]), words[2:]
    return " \\\n  ".join([head, *rest]) + "\n"
