"""The ``variants:`` block of a sweep file: named sets of settings, crossed with the axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from phasegrok.config import PATHS
from phasegrok.errors import Mistakes, refusal, short
from phasegrok.sweep.ranges import unknown
from phasegrok.sweep.values import NAME, is_name, setting
from phasegrok.sweep.yaml import Node

BLOCK: Final = "variants"
COLUMN: Final = "variant"  # of every table


@dataclass(frozen=True)
class Variant:
    """One way in which a sweep's runs differ from its base.

    Attributes:
        name: its text in column ``variant``.
        settings: (path, value) of everything in which its experiment differs from the base, with
            the defaults of the kinds that it chooses, and of its explicit settings.
        where: file:line:column of its name.
        locations: file:line:column of its explicit settings, by path.
    """

    name: str
    settings: tuple[tuple[str, Any], ...]
    where: str = field(default="", compare=False)
    locations: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )


def read(block: Node, mistakes: Mistakes, prefix: str = "") -> dict[str, Node]:
    """The variants of a block by name, every entry checked where it stands.

    Args:
        block: a mapping of names to mappings of dotted paths to values.
        mistakes: collects the refusals of entries, which are left out.
        prefix: ``reduced.`` inside the reduced block, where a variant may be null.
    """
    label = f"{prefix}{BLOCK}"
    if not block.is_mapping or not block.value:
        raise refusal(
            block.where,
            label,
            f"found {block.for_display()}; allowed: a mapping of at least one name to its settings",
        )
    sound: dict[str, Node] = {}
    for name, node in block.value.items():
        with mistakes:
            if not is_name(name):
                what = f'found the name "{short(name)}"; allowed: {NAME}'
                raise refusal(node.key_where, f"{label}.{name}", what)
            if not (prefix and node.value is None):
                parse(name, node, prefix)
            sound[name] = node
    return sound


def parse(name: str, node: Node, prefix: str = "") -> Variant:
    """One variant of the file, with its explicit settings only."""
    label = f"{prefix}{BLOCK}.{name}"
    if not node.is_mapping:
        null = ", or null to drop it" if prefix else ""
        raise refusal(
            node.where,
            label,
            f"found {node.for_display()}; allowed: a mapping of paths to "
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
    """The variants after ``reduced:`` has replaced, added or dropped whole ones by name."""
    label = f"reduced.{BLOCK}"
    left = dict(variants)
    mistakes = Mistakes()
    changed = read(block, mistakes, "reduced.")
    mistakes.refuse()
    for name, node in changed.items():
        if node.value is not None:
            left[name] = node
        elif name in left:
            del left[name]
        else:
            known = ", ".join(variants) or "none, since the file has no variants"
            what = f"found null for an unknown variant; allowed: {known}"
            raise refusal(node.where, f"{label}.{name}", what)
    if not left:
        what = "found null for every variant; allowed: at least one kept"
        raise refusal(block.where, label, what)
    return left


def only(variants: Mapping[str, Node], name: Node) -> dict[str, Node]:
    """The one variant that ``--set variant=NAME`` keeps."""
    if not isinstance(name.value, str) or name.value not in variants:
        known = ", ".join(variants) or "none, since the file has no variants"
        what = f"found {name.for_display()}; allowed: {known}"
        raise refusal(name.where, COLUMN, what)
    return {name.value: variants[name.value]}


def ordered(settings: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Settings in the order in which the fields are declared."""
    return tuple((path, settings[path]) for path in PATHS if path in settings)


def refuse_swept(variants: Iterable[Variant], axes: Mapping[str, str]) -> None:
    """Refuse a path that is an axis and that a variant sets too.

    Args:
        axes: where each axis stands, by path.
    """
    for variant in variants:
        for path, where in variant.locations.items():
            if path in axes:
                raise refusal(
                    where,
                    f"{BLOCK}.{variant.name}.{path}",
                    f"found a path that is an axis too ({axes[path]}); allowed: one of the two",
                )
