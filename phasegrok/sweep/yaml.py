"""YAML text as plain values that remember where they stand, and back to text.

Only the plain part of YAML 1.2 is read: mappings, lists and scalars. Anchors, aliases and tags
are refused, because a sweep file needs none of them and they can hide a value's origin (or blow
a small file up into a huge one).
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

from phasegrok.errors import Refusal

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
SHOWN = 60

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NULL = ("", "~", "null", "Null", "NULL")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# Other readers (YAML 1.1) take these words for booleans, so the writer quotes them.
_OLD_BOOL = {"y", "n", "yes", "no", "on", "off"}
# Python itself declines to convert longer digit strings; no float or int64 needs them.
_MAX_DIGITS = 400


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

    def shown(self) -> str:
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


def escaped(text: str) -> str:
    """Text with every character that is not plainly printable as a backslash escape."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


def short(text: str) -> str:
    """Escaped text, cut to about 60 characters."""
    shown = escaped(text[: SHOWN + 1])
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 3] + "..."


def refusal(where: str, key: str, what: str) -> Refusal:
    """The one line: where, which key, and what was found and is allowed."""
    return Refusal(": ".join(part for part in (where, short(key), escaped(what)) if part))


def read_file(path: Path) -> Node:
    """The mapping that a YAML file holds. Raises Refusal."""
    file = escaped(str(path))
    allowed = "allowed: the path of a sweep file (YAML)"
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise refusal(file, "", f"found a directory; {allowed}")
        if not stat.S_ISREG(mode):
            raise refusal(file, "", f"found something that is no regular file; {allowed}")
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
        found = "an empty file" if node.value is None else node.shown()
        raise refusal(node.where, "", f"found {found}; allowed: a mapping of keys to values")
    return node


def read_text(text: str, where: Callable[[int, int], str]) -> Node:
    """The one document in a YAML text; `where` words a line and column, both from 1."""
    events = _events(text, where)
    node = Node(None, where(1, 1), where(1, 1))
    documents = 0
    for event in events:
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise refusal(_at(event, where), "", "found a second document; allowed: one")
            node = _node(next(events), events, where, "", 0)
    return node


def _at(event: Any, where: Callable[[int, int], str]) -> str:
    return where(event.start_mark.line + 1, event.start_mark.column + 1)


def _events(text: str, where: Callable[[int, int], str]) -> Iterator[Any]:
    """The parser's events, its errors turned into refusals."""
    position = where(1, 1)
    known = (
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
    try:
        parser = YAML(typ="safe", pure=True).parse(text)
        while True:
            # The parser warns about odd directives; what matters of them is refused below.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                event = next(parser, None)
            if event is None:
                return
            position = _at(event, where)
            if isinstance(event, known):
                yield event
    except Refusal:
        raise
    except Exception as error:
        # Besides its own YAMLError the parser lets ValueError, IndexError and others escape on
        # malformed text (a code point out of range, a broken directive); to a user it is all
        # one thing.
        mark = getattr(error, "problem_mark", None)
        offset = getattr(error, "position", None)
        if isinstance(offset, int):  # of a character that YAML does not allow anywhere
            line_start = text.rfind("\n", 0, offset) + 1
            position = where(text.count("\n", 0, offset) + 1, offset - line_start + 1)
        elif mark is not None:
            position = where(mark.line + 1, mark.column + 1)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None)
        if not reason:
            reason = "malformed text"
        raise refusal(
            position,
            "",
            f"found a YAML error ({short(str(reason))}); allowed: "
            "YAML with one key: value to a line, evenly indented",
        ) from None


def _node(
    event: Any,
    events: Iterator[Any],
    where: Callable[[int, int], str],
    path: str,
    depth: int,
    key_where: str = "",
) -> Node:
    here = _at(event, where)
    if isinstance(event, AliasEvent):
        raise refusal(here, path, "found an alias (*); allowed: values written out")
    if getattr(event, "anchor", None) is not None:
        raise refusal(here, path, "found an anchor (&); allowed: values written out")
    if getattr(event, "tag", None) is not None:
        raise refusal(here, path, "found a tag (!); allowed: plain values")
    if depth > MAX_DEPTH:
        raise refusal(here, path, f"found too deep nesting; allowed: {MAX_DEPTH} levels")
    if isinstance(event, ScalarEvent):
        value = _scalar(event.value, here, path) if event.implicit[0] else event.value
        if key_where and value is None and not event.value:
            here = key_where  # the parser places an absent value wherever the next thing begins
        return Node(value, here, key_where or here, event.value)
    if isinstance(event, SequenceStartEvent):
        items: list[Node] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            items.append(_node(event, events, where, path, depth + 1))
        return Node(items, here, key_where or here)
    entries: dict[str, Node] = {}
    while not isinstance(event := next(events), MappingEndEvent):
        key = _node(event, events, where, path, depth + 1)
        if key.is_list or key.is_mapping:
            raise refusal(key.where, path, f"found {key.shown()} as a key; allowed: a word")
        inner = f"{path}.{key.text}" if path else key.text
        if key.text in entries:
            raise refusal(
                key.where,
                inner,
                f"found the key a second time (first at {entries[key.text].key_where}); "
                "allowed: each key once",
            )
        entries[key.text] = _node(next(events), events, where, inner, depth + 1, key.where)
    return Node(entries, here, key_where or here)


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
        # Written as digits, yet no float can hold it: name the overflow where it happens.
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
