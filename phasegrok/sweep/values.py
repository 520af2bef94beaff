"""One setting or one axis of a sweep file, checked against its field."""

from __future__ import annotations

import functools
import re
import typing
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from phasegrok.config import OTHER_PATHS, PATHS
from phasegrok.config.opened import generation
from phasegrok.sweep import zipped
from phasegrok.sweep.hints import value_meant
from phasegrok.sweep.ranges import items, repeated, wrong
from phasegrok.sweep.yaml import Node

MAX_SEED = 2**32 - 1

# Views, since plugins may add kinds and keys.
FIELDS: Final[Mapping[str, list[FieldInfo]]] = ChainMap(PATHS, OTHER_PATHS)
PLUGGABLE: Final = ("task.kind", "model.kind", "optimizer.kind")
NAME = "1 to 100 of the characters A-Z a-z 0-9 _ -"


def is_name(text: str) -> bool:
    """Whether a sweep or a variant may have this name."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,100}", text) is not None


def setting(key: str, node: Node, prefix: str = "") -> Any:
    """The value of name, seeds or a field. `prefix` only words the key in a refusal."""
    if key == "name":
        if isinstance(node.value, str) and is_name(node.value):
            return node.value
        quote = " (in quotes)" if isinstance(node.value, int | float) else ""
        raise wrong(node, prefix + key, f"{NAME}{quote}")
    if key == "seeds":
        return _seeds(node, prefix + key)
    if key == zipped.KEY:
        return zipped.groups(node, prefix + key)
    return _value(key, node, prefix + key)


def _seeds(node: Node, label: str) -> tuple[int, ...]:
    allowed = f"a list of different whole numbers from 0 to {MAX_SEED}, or {{start, stop, num}}"
    if not (node.is_list or node.is_mapping) or not node.value:
        raise wrong(node, label, f"{allowed}{_seeds_meant(node)}")
    seen: dict[int, None] = {}
    for item in items(node, label):
        if type(item.value) is not int or not 0 <= item.value <= MAX_SEED:
            raise wrong(item, label, allowed)
        if item.value in seen:
            raise repeated(item, label, allowed)
        seen[item.value] = None
    return tuple(seen)


def _seeds_meant(node: Node) -> str:
    """A number of seeds, which is no list, as the list that it stands for."""
    if type(node.value) is not int or not 0 <= node.value <= MAX_SEED:
        return ""
    if 1 < node.value <= 1000:
        return f" (write {{start: 0, stop: {node.value - 1}, num: {node.value}}})"
    return f" (write [{node.value}])"


def _value(path: str, node: Node, label: str) -> Any:
    """A value checked against its field. Whole numbers become floats where the field is one."""
    if is_listed(path):
        return _listed(path, node, label)
    if not (node.is_list or node.is_mapping):
        checked = _checked(path, node.value)
        if checked:
            return checked[0]
    swept = (node.is_list or node.is_mapping) and path in PATHS and not label.startswith("axes.")
    hint = f" (to sweep it: axes.{path})" if swept else ""
    if not hint and (meant := _meant(path, node)):
        hint = f" ({meant})"
    if path in PLUGGABLE and isinstance(node.value, str):
        hint = f", or one of a plugin (--plugin MODULE){hint}"
    raise wrong(node, label, f"{allowed_words(path)}{hint}")


def _meant(path: str, node: Node) -> str:
    """What to write instead, where that is plain."""
    words = _alternatives(path)
    whole = any(word.startswith("a whole number") for word in words)
    return value_meant(node, words, whole, any(word.startswith("a number") for word in words))


def is_listed(path: str) -> bool:
    """Whether a field takes a list."""
    return typing.get_origin(FIELDS[path][0].annotation) is tuple


def _listed(path: str, node: Node, label: str) -> tuple[Any, ...]:
    """A list, each entry checked where it stands. No entry may come twice."""
    if not node.is_list:
        raise wrong(node, label, allowed_words(path))
    found: list[Any] = []
    for item in node.value:
        checked = () if item.is_list or item.is_mapping else _checked(path, (item.value,))
        if not checked:
            hint = _meant(path, item)
            raise wrong(item, label, f"{allowed_words(path)}{f' ({hint})' if hint else ''}")
        if checked[0][0] in found:
            raise repeated(item, label)
        found.append(checked[0][0])
    return tuple(found)


@functools.cache
def _adapters(path: str, generation: int) -> tuple[TypeAdapter[Any], ...]:
    strict = ConfigDict(strict=True, allow_inf_nan=False)
    types: list[Any] = [
        Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        for info in FIELDS[path]
    ]
    return tuple(TypeAdapter(annotation, config=strict) for annotation in types)


def _checked(path: str, value: Any) -> tuple[Any, ...]:
    """A tuple of the value alone, as the first kind that accepts it converts it; else ()."""
    for adapter in _adapters(path, generation()):
        try:
            found = adapter.validate_python(value)
        except ValidationError:
            continue
        return (found + 0.0,) if isinstance(found, float) else (found,)  # no negative zero
    return ()


def allowed_words(path: str) -> str:
    """What a field takes, in plain words."""
    *first, last = _alternatives(path)
    text = f"{', '.join(first)} or {last}" if first else last
    return f"a list of: {text}" if is_listed(path) else text


def _alternatives(path: str) -> list[str]:
    """Each alternative of what a field takes, in words."""
    choices: dict[str, None] = {}
    for info in FIELDS[path]:
        choices |= dict.fromkeys(_choices(info.annotation, info.metadata))
    return list(choices)


def _choices(annotation: Any, metadata: Iterable[Any]) -> Iterator[str]:
    """Each alternative of a type, in words."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        marks = [m for mark in inner[1:] for m in getattr(mark, "metadata", [mark])]
        yield from _choices(inner[0], marks)
    elif origin is Literal:
        yield from map(str, inner)
    elif inner:
        for member in inner:
            if member is not Ellipsis:
                yield from _choices(member, metadata)
    elif annotation is bool:
        yield from ("true", "false")
    elif annotation is type(None):
        yield "null"
    elif annotation is str:
        absolute = any(getattr(mark, "pattern", None) for mark in metadata)
        yield "an absolute path" if absolute else "a path"
    else:
        number = "a whole number" if annotation is int else "a number"
        yield f"{number} {' and '.join(_bounds(metadata))}".strip()


def _bounds(metadata: Iterable[Any]) -> Iterator[str]:
    for mark in metadata:
        match mark:
            case Gt(gt=low):
                yield f"above {low}"
            case Ge(ge=low):
                yield f"at least {low}"
            case Lt(lt=high):
                yield f"below {high}"
            case Le(le=high):
                yield f"at most {high}"


def axis_values(path: str, node: Node, prefix: str = "", repeats: bool = False) -> tuple[Any, ...]:
    """Every value of an axis, each checked where it stands.

    Args:
        path: that is swept.
        node: its values.
        prefix: only words the key in a refusal.
        repeats: whether a value may come twice, as in an axis that moves with another.
    """
    label = f"{prefix}axes.{path}"
    found: list[Any] = []
    seen: set[Any] = set()
    for item in items(node, label):
        if item.value is None:
            raise wrong(item, label, "a value")
        value = _value(path, item, label)
        if value in seen and not repeats:
            raise repeated(item, label)
        seen.add(value)
        found.append(value)
    return tuple(found)
