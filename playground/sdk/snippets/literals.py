"""Plain values as Python expressions: complete, and made of what can be seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from playground.protocol import plain as plain_values
from playground.protocol.fields import Field, Types, is_secret
from playground.sdk.snippets.asks import is_name, parts_of, variable_of

WIDTH = 80
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CLASSES: dict[int, str] = {Types.IMAGE: "Image", Types.AUDIO: "Audio", Types.VIDEO: "Video"}


class Literals:
    """Writes values, and remembers what their code needs: classes, modules, environment variables."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self.classes: set[str] = set()
        self.modules: set[str] = set()
        self.has_paths = False

    def write(self, one: Field, given: Any) -> str:
        """The expression of a plain value that fits its field."""
        if is_secret(one):
            self.modules.add("os")
            return f"os.environ[{quote(variable_of(one))}]"
        return "None" if given is None else _WRITERS[one.type](self, one, given)

    def use(self, name: str) -> str:
        self.classes.add(name)
        return name

    def read(self, media: Any) -> str:
        """The bytes of stored content, from the file beside the program."""
        self.has_paths = True
        return f"Path({quote(self.name_of(media))}).read_bytes()"

    def name_of(self, media: Any) -> str:
        return self._files.get(media["media"], media.get("name", "")) or "file"

    def _text(self, one: Field, given: Any) -> str:
        if isinstance(given, dict) and "url" in given:
            return call(self.use("Text"), ['""', f"url={quote(given['url'])}"])
        text = given if isinstance(given, str) else given["text"]
        return call(self.use("Text"), [quote_lines(text)])

    def _bytes(self, one: Field, given: Any) -> str:
        return repr(given.encode()) if isinstance(given, str) else self.read(given)

    def _media(self, one: Field, given: Any) -> str:
        return self.medium(_CLASSES[one.type], given)

    def medium(self, cls: str, given: Any) -> str:
        is_stored = "media" in given
        return call(self.use(cls), [f"bytes={self.read(given)}" if is_stored else f"url={quote(given['url'])}"])

    def _array(self, one: Field, given: Any) -> str:
        self.modules.add("numpy as np")
        if isinstance(given, list | int | float):
            return call("np.array", [constant(plain_values.json_from_plain(given))])
        return call("np.load", [quote(self.name_of(given.get("ndarray", given)))])

    def concept(self, facts: Any) -> str:
        facts = facts.get("concept", facts)
        parts = [quote(facts.get("name", "")), number(facts.get("value", 1.0), is_float=True)]
        if facts.get("id"):
            parts.append(f"id={quote(str(facts['id']))}")
        return call(self.use("Concept"), parts)

    def _concept(self, one: Field, given: Any) -> str:
        return self.concept(given)

    def region(self, given: Any) -> str:
        facts = given["region"]
        parts = [f"{name}={numbers(facts[name])}" for name in ("box", "point") if facts.get(name) is not None]
        if facts.get("mask"):
            parts.append(f"mask={self.medium('Image', facts['mask'])}")
        if facts.get("concepts"):
            parts.append(f"concepts={listed(map(self.concept, facts['concepts']))}")
        parts += [f"{name}={quote(facts[name])}" for name in ("text", "track_id", "id") if facts.get(name)]
        return call(self.use("Region"), parts)

    def _region(self, one: Field, given: Any) -> str:
        return self.region(given)

    def _frame(self, one: Field, given: Any) -> str:
        facts = given["frame"]
        parts = [f"image={self.medium('Image', facts['image'])}"] if facts.get("image") else []
        if facts.get("regions"):
            parts.append(f"regions={listed(map(self.region, facts['regions']))}")
        if facts.get("time"):
            parts.append(f"time={number(facts['time'], is_float=True)}")
        if facts.get("index"):
            parts.append(f"index={number(facts['index'])}")
        return call(self.use("Frame"), parts)

    def _list(self, one: Field, given: Any) -> str:
        return listed(self.write(inner, item) for inner, item in parts_of(one, given))

    def _tuple(self, one: Field, given: Any) -> str:
        items = [self.write(inner, item) for inner, item in parts_of(one, given)]
        return bracketed("(", items, ")", is_tuple=True)

    def _fields(self, one: Field, given: Any) -> str:
        written = {inner.name: self.write(inner, item) for inner, item in parts_of(one, given)}
        return call(self.use("NamedFields"), keywords(written))


_WRITERS: dict[int, Callable[[Literals, Field, Any], str]] = {
    Types.STR: lambda literals, one, given: quote_lines(given),
    Types.BYTES: Literals._bytes,
    Types.INT: lambda literals, one, given: number(given),
    Types.FLOAT: lambda literals, one, given: number(given, is_float=True),
    Types.BOOL: lambda literals, one, given: str(given),
    Types.NDARRAY: Literals._array,
    Types.JSON_DATA: lambda literals, one, given: constant(plain_values.json_from_plain(given)),
    Types.TEXT: Literals._text,
    Types.IMAGE: Literals._media,
    Types.AUDIO: Literals._media,
    Types.VIDEO: Literals._media,
    Types.CONCEPT: Literals._concept,
    Types.REGION: Literals._region,
    Types.FRAME: Literals._frame,
    Types.LIST: Literals._list,
    Types.TUPLE: Literals._tuple,
    Types.NAMED_FIELDS: Literals._fields,
}


def quote(text: str) -> str:
    """Text in double quotes; what would not be seen, or would turn what is seen about, is escaped."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_ESCAPES.get(sign) or (sign if sign.isprintable() else _escape(sign)) for sign in text) + '"'


def _escape(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quote_lines(text: str) -> str:
    """As ``quote``; a longer text has a line of code for each of its lines."""
    if "\n" not in text.strip("\n") or len(text) <= WIDTH // 2:
        return quote(text)
    *lines, last = text.split("\n")
    pieces = [f"{line}\n" for line in lines] + ([last] if last else [])
    return "(\n" + "".join(f"{indent(quote(piece))}\n" for piece in pieces) + ")"


def number(given: Any, *, is_float: bool = False) -> str:
    """A plain number: ``3``, ``0.5``, ``float("nan")``, or an integer of any size."""
    if isinstance(given, dict):
        given = float(given["number"]) if is_float else int(given["number"])
    if not is_float:
        return str(int(given))
    return repr(float(given)) if math.isfinite(given) else f'float("{float(given)}")'


def numbers(given: Iterable[Any]) -> str:
    return listed(number(each, is_float=True) for each in given)


def constant(value: Any) -> str:
    """A value of JSON as Python."""
    if isinstance(value, str):
        return quote_lines(value)
    if isinstance(value, dict):
        return bracketed("{", [f"{quote(str(key))}: {constant(item)}" for key, item in value.items()], "}")
    if isinstance(value, list):
        return listed(map(constant, value))
    if isinstance(value, float):
        return number(value, is_float=True)
    return repr(value)


def call(head: str, parts: Iterable[str]) -> str:
    return head + bracketed("(", parts, ")")


def listed(parts: Iterable[str]) -> str:
    return bracketed("[", parts, "]")


def bracketed(opening: str, parts: Iterable[str], closing: str, *, is_tuple: bool = False) -> str:
    """In one line where that is short; else each part in lines of its own."""
    parts = list(parts)
    tail = "," if is_tuple and len(parts) == 1 else ""
    line = f"{opening}{', '.join(parts)}{tail}{closing}"
    if len(line) <= WIDTH - 8 and "\n" not in line:
        return line
    return f"{opening}\n" + "".join(f"{indent(part)},\n" for part in parts) + closing


def keywords(written: Mapping[str, str]) -> list[str]:
    """Keyword arguments; names that Python would not take as such go in by a dict."""
    plain = [f"{name}={value}" for name, value in written.items() if is_name(name)]
    odd = [f"{quote(name)}: {value}" for name, value in written.items() if not is_name(name)]
    return [*plain, f"**{bracketed('{', odd, '}')}"] if odd else plain


def indent(code: str, by: int = 4) -> str:
    """No line of code here lies within a text, so each may move."""
    return "\n".join(" " * by + line for line in code.split("\n"))
