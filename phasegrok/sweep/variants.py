"""The ``variants:`` block of a sweep file: named sets of settings, crossed with the axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from phasegrok.config import PATHS
from phasegrok.sweep.values import NAME, is_name, setting, unknown
from phasegrok.sweep.yaml import Node, refusal, short

BLOCK: Final = "variants"
COLUMN: Final = "variant"  # of every table


@dataclass(frozen=True)
class Variant:
    """One way in which a sweep's runs differ from its base.

    Attributes:
        name: what column ``variant`` says.
        settings: (path, value) of everything in which its experiment differs from the base,
            defaults of the kinds that it chooses included, and of what it says itself.
        where: file:line:column of its name.
        places: file:line:column of what it says itself, by path.
    """

    name: str
    settings: tuple[tuple[str, Any], ...]
    where: str = field(default="", compare=False)
    places: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )


def read(block: Node, prefix: str = "") -> dict[str, Node]:
    """The variants of a block by name, everything in them checked where it stands.

    Args:
        block: the mapping of names to mappings of dotted paths to values.
        prefix: ``reduced.`` inside that block, where a variant may be null.
    """
    label = f"{prefix}{BLOCK}"
    if not block.is_mapping or not block.value:
        raise refusal(
            block.where,
            label,
            f"found {block.shown()}; allowed: a mapping of at least one name to its settings",
        )
    for name, node in block.value.items():
        if not is_name(name):
            what = f'found the name "{short(name)}"; allowed: {NAME}'
            raise refusal(node.key_where, f"{label}.{name}", what)
        if not (prefix and node.value is None):
            said(name, node, prefix)
    return dict(block.value)


def said(name: str, node: Node, prefix: str = "") -> Variant:
    """A variant as the file has it: its settings are what it says itself."""
    label = f"{prefix}{BLOCK}.{name}"
    if not node.is_mapping:
        null = ", or null to drop it" if prefix else ""
        raise refusal(
            node.where,
            label,
            f"found {node.shown()}; allowed: a mapping of paths to "
            f"values ({{}} for the base as it is){null}",
        )
    for path, inner in node.value.items():
        if path not in PATHS:
            raise unknown(inner, f"{label}.{path}", path, tuple(PATHS))
    return Variant(
        name,
        ordered({path: setting(path, inner, f"{label}.") for path, inner in node.value.items()}),
        node.key_where,
        MappingProxyType({path: inner.where for path, inner in node.value.items()}),
    )


def replaced(variants: Mapping[str, Node], block: Node) -> dict[str, Node]:
    """The variants after ``reduced:`` replaced whole ones by name, added some, and dropped some."""
    label = f"reduced.{BLOCK}"
    left = dict(variants)
    for name, node in read(block, "reduced.").items():
        if node.value is not None:
            left[name] = node
        elif name in left:
            del left[name]
        else:
            there = ", ".join(variants) or "none, since the file has no variants"
            what = f"found null for a variant that there is not; allowed: {there}"
            raise refusal(node.where, f"{label}.{name}", what)
    if not left:
        what = "found null for every variant; allowed: at least one kept"
        raise refusal(block.where, label, what)
    return left


def ordered(settings: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Settings in the order in which the fields are declared."""
    return tuple((path, settings[path]) for path in PATHS if path in settings)


def refuse_swept(variants: Iterable[Variant], axes: Mapping[str, str]) -> None:
    """Refuse a path that is both an axis and set by a variant.

    Args:
        axes: where each axis stands, by path.
    """
    for variant in variants:
        for path, where in variant.places.items():
            if path in axes:
                raise refusal(
                    where,
                    f"{BLOCK}.{variant.name}.{path}",
                    f"found a path that is an axis too ({axes[path]}); allowed: one of the two",
                )
