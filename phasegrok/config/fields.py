"""Config fields: their marks, their ranges, their blocks.

A field is either *traced* or *static*. A traced field, marked :data:`TRACED`, is a leaf of the
pytree that is mapped over, so sweeping it only adds runs to a compiled program. All other fields
are static: they fix array shapes or traced code, so sweeping one adds programs. The planner, the
table columns and the reference page all read the mark from here.
"""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


class Traced:
    """Marks a config field whose value is an array leaf rather than part of the program."""

    def __repr__(self) -> str:
        return "TRACED"


TRACED = Traced()


class FilePath:
    """Marks a config field that says where files lie.

    A run is identified by what the files hold, not by where they lie.
    """

    def __repr__(self) -> str:
        return "FILE_PATH"


FILE_PATH = FilePath()


# Traced values are float32, with a largest value of 3e38. Larger numbers would overflow.
LARGEST = 1e30


Positive = Annotated[float, Field(gt=0, le=LARGEST)]


NotNegative = Annotated[float, Field(ge=0, le=LARGEST)]


Fraction = Annotated[float, Field(ge=0, lt=1)]


Count = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Block(BaseModel):
    """A mapping of a sweep file: fixed keys, no silent conversions, finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def kinds(annotation: Any) -> list[type[Block]]:
    """The block classes that an annotation allows: one, or a union's members."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return kinds(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [k for a in typing.get_args(annotation) for k in kinds(a)]
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return [annotation]
    return []


def plain_types(annotation: Any) -> set[type]:
    """The types of the values that an annotation allows, null apart: of texts ``str``."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return {type(value) for value in inner}
    if origin is Annotated:
        return plain_types(inner[0])
    if origin in (typing.Union, types.UnionType):
        return {kind for each in inner for kind in plain_types(each)}
    return set() if annotation is type(None) else {annotation}


def is_file_path(field: FieldInfo) -> bool:
    """Whether a field says where files lie."""
    return any(isinstance(mark, FilePath) for mark in field.metadata)


def value_at(experiment: Block, path: str) -> Any:
    """The value at a dotted path, or None where the experiment's kind has no such field."""
    value: Any = experiment
    for part in path.split("."):
        value = getattr(value, part, None)
    return value
