"""YAML text as plain values that remember where they stand, and back to text.

Only the plain part of YAML 1.2 is read: mappings, lists and scalars. Anchors, aliases and tags are
refused. A sweep file needs none of them, and they can hide where a value comes from or blow a small
file up into a huge one.
"""

from __future__ import annotations

import math
import re
import stat
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from phasegrok.errors import Refusal, escaped, refusal, short
from phasegrok.sweep.syntax import diagnose

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NULL = ("", "~", "null", "Null", "NULL")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# Other readers (YAML 1.1) take these words for booleans, so the writer quotes them.
_OLD_BOOL = {"y", "n", "yes", "no", "on", "off"}
_KNOWN_EVENTS = (
    StreamStartEvent,
    StreamEndEvent,
    DocumentStartEvent,
    DocumentEndEvent,
    AliasEvent,
    ScalarEvent,
    SequenceStartEvent,
    SequenceEndEvent,
    MappingStartEvent,
    MappingEndEvent,
)
# Python itself declines to convert longer digit strings; no float or int64 needs them.
_MAX_DIGITS = 400

Locate = Callable[[int, int], str]  # words a line and a column, both from 1


@dataclass(frozen=True)
class Node:
    """A value of the file: a scalar, a list of nodes, or a mapping of keys to nodes."""

    value: Any
    where: str  # file:line:column of the value
    key_where: str  # of the key it belongs to; of the value itself where there is no key
    text: str = ""  # a scalar as it was written

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, list)

    def for_display(self) -> str:
        """The value for an error message: what it is, short, on one line."""
        if self.is_mapping:
            return "a mapping" if self.value else "an empty mapping"
        if self.is_list:
            return "a list" if self.value else "an empty list"
        if self.value is None:
            return "nothing (null)"
        if isinstance(self.value, str):
            return f'the text "{short(self.value)}"'
        return short(self.text)


def read_file(path: Path) -> Node:
    """The mapping that a YAML file holds. Raises Refusal."""
    file = escaped(str(path))
    data = _read_bytes(path, file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise refusal(
            f"{file}:{line}:{column}", "", "found bytes that are not UTF-8; allowed: UTF-8 text"
        ) from None
    node = read_text(text, lambda line, column: f"{file}:{line}:{column}")
    if not node.is_mapping:
        found = "an empty file" if node.value is None else node.for_display()
        raise refusal(node.where, "", f"found {found}; allowed: a mapping of keys to values")
    return node


def _read_bytes(path: Path, file: str) -> bytes:
    """What is in a regular file of a sensible size. ``file`` names it in a refusal."""
    allowed = "allowed: the path of a sweep file (YAML; phasegrok new NAME writes one)"
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise refusal(file, "", f"found a directory; {allowed}")
        if not stat.S_ISREG(mode):
            raise refusal(file, "", f"found something that is not a regular file; {allowed}")
        with open(path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise refusal(file, "", f"no such file; {allowed}") from None
    except OSError as error:
        raise refusal(file, "", f"cannot be read ({error.strerror}); {allowed}") from None
    except ValueError:  # a NUL byte in the path
        raise refusal(file, "", f"not a possible path; {allowed}") from None
    if len(data) > MAX_BYTES:
        raise refusal(file, "", "found a file of more than 1 MB; allowed: at most 1 MB")
    return data


def read_text(text: str, where: Locate) -> Node:
    """The one document in a YAML text. ``where`` words a line and column, both from 1."""
    return _Reader(text, where).document()


class _Reader:
    """Turns the parser's events into nodes."""

    def __init__(self, text: str, where: Locate) -> None:
        self._where = where
        self._events = _events(text, where)

    def document(self) -> Node:
        """The one document of the text; null for a text without one."""
        node = Node(None, self._where(1, 1), self._where(1, 1))
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise refusal(
                        _at(event, self._where), "", "found a second document; allowed: one"
                    )
                node = self._node(next(self._events), "", 0)
        return node

    def _node(self, event: Any, path: str, depth: int, key_where: str = "") -> Node:
        """The value that begins with an event, at a dotted path of the file."""
        here = _at(event, self._where)
        _refuse_hidden(event, here, path)
        if depth > MAX_DEPTH:
            raise refusal(here, path, f"found too deep nesting; allowed: {MAX_DEPTH} levels")
        if isinstance(event, ScalarEvent):
            value = _scalar(event.value, here, path) if event.implicit[0] else event.value
            if key_where and value is None and not event.value:
                here = key_where  # the parser locates an absent value where the next thing begins
            return Node(value, here, key_where or here, event.value)
        if isinstance(event, SequenceStartEvent):
            return Node(list(self._items(path, depth + 1)), here, key_where or here)
        return Node(self._entries(path, depth + 1), here, key_where or here)

    def _items(self, path: str, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), SequenceEndEvent):
            yield self._node(event, path, depth)

    def _entries(self, path: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, path, depth)
            if key.is_list or key.is_mapping:
                what = f"found {key.for_display()} as a key; allowed: a word"
                raise refusal(key.where, path, what)
            inner = f"{path}.{key.text}" if path else key.text
            if key.text in entries:
                first = entries[key.text].key_where
                what = f"found the key a second time (first at {first}); allowed: each key once"
                raise refusal(key.where, inner, what)
            entries[key.text] = self._node(next(self._events), inner, depth, key.where)
        return entries


def _refuse_hidden(event: Any, where: str, path: str) -> None:
    """Refuse what can hide where a value comes from."""
    if isinstance(event, AliasEvent):
        raise refusal(where, path, "found an alias (*); allowed: values written out")
    if getattr(event, "anchor", None) is not None:
        raise refusal(where, path, "found an anchor (&); allowed: values written out")
    if getattr(event, "tag", None) is not None:
        raise refusal(where, path, "found a tag (!); allowed: plain values")


def _at(event: Any, where: Locate) -> str:
    return where(event.start_mark.line + 1, event.start_mark.column + 1)


def _events(text: str, where: Locate) -> Iterator[Any]:
    """The parser's events, its errors turned into refusals."""
    position = where(1, 1)
    try:
        parser = YAML(typ="safe", pure=True).parse(text)
        while True:
            # The parser warns about odd directives. What matters about them is refused below.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                event = next(parser, None)
            if event is None:
                return
            position = _at(event, where)
            if isinstance(event, _KNOWN_EVENTS):
                yield event
    except Refusal:
        raise
    except Exception as error:
        # The parser raises its own YAMLError, and on malformed text also ValueError, IndexError
        # and others (a code point out of range, a broken directive). To a user all are the same.
        if mistake := diagnose(error, text):
            place = where(mistake.line, mistake.column)
            raise refusal(place, "", f"found a YAML error: {mistake.what}") from None
        reason = getattr(error, "problem", None) or getattr(error, "reason", None)
        raise refusal(
            _error_position(error, text, where) or position,
            "",
            f"found a YAML error ({short(str(reason or 'malformed text'))}); allowed: "
            "YAML with one key: value to a line, evenly indented",
        ) from None


def _error_position(error: Exception, text: str, where: Locate) -> str | None:
    """The position at which the parser failed, if it gives one."""
    mark = getattr(error, "problem_mark", None)
    offset = getattr(error, "position", None)
    if isinstance(offset, int):  # a character that YAML allows nowhere
        line_start = text.rfind("\n", 0, offset) + 1
        return where(text.count("\n", 0, offset) + 1, offset - line_start + 1)
    return where(mark.line + 1, mark.column + 1) if mark is not None else None


def _scalar(text: str, where: str, path: str) -> Any:
    """A plain scalar's value by the YAML 1.2 core schema."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    is_int = _INT.fullmatch(text)
    if is_int or _FLOAT.fullmatch(text):
        value: float = float("inf")
        if len(text) <= _MAX_DIGITS:
            base = {"0x": 16, "0o": 8}.get(text[:2], 10)
            value = int(text, base) if is_int else float(text)
        # No float can hold such a number. The overflow is named where it happens.
        if abs(value) > sys.float_info.max:
            raise refusal(where, path, f"found {short(text)}; allowed: numbers below 1.79e308")
        return value
    return text


def write(values: Mapping[str, Any]) -> str:
    """Nested mappings of scalars and lists as YAML text that `read_text` reads back equal."""
    return "".join(f"{line}\n" for line in _lines(values, ""))


def _lines(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_written(key)}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{_written(key)}: {_written(value)}"


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, float):
        mantissa, e, exponent = repr(value).partition("e")
        # Readers of YAML 1.1 take a float without a point (1e-08) for text.
        return f"{mantissa if '.' in mantissa else mantissa + '.0'}{e}{exponent}"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", text) and text.lower() not in _OLD_BOOL
    return text if plain and _scalar(text, "", "") == text else _quoted(text)


def _quoted(text: str) -> str:
    return (
        '"'
        + "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
        + '"'
    )
