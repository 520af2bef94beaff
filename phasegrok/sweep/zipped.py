"""The ``zip:`` key of a sweep file: axes that move together instead of being crossed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from phasegrok.config import PATHS
from phasegrok.errors import refusal
from phasegrok.sweep.ranges import repeated, unknown, wrong
from phasegrok.sweep.yaml import Node

KEY: Final = "zip"
Groups = tuple[tuple[str, ...], ...]  # paths of the axes that move together
WORDS: Final = "a list of the axes that move together, or a list of such lists"


def groups(node: Node, label: str = KEY) -> Groups:
    """The groups that the key names, their words checked; whether they are swept is not.

    Raises:
        Refusal: there is something else than paths, or one of them twice.
    """
    if not node.is_list:
        raise wrong(node, label, WORDS)
    if not all(item.is_list for item in node.value):
        node = Node([node], node.where, node.key_where)  # one group
    found, seen = [], set[str]()
    for group in node.value:
        if not group.is_list:
            raise wrong(group, label, WORDS)
        for item in group.value:
            if not isinstance(item.value, str):
                raise wrong(item, label, WORDS)
            if item.value not in PATHS:
                raise unknown(item, label, item.value, tuple(PATHS))
            if item.value in seen:
                raise repeated(item, label, "each axis in one group")
            seen.add(item.value)
        found.append(tuple(item.value for item in group.value))
    return tuple(found)


def swept_groups(named: Groups, swept: Iterable[str]) -> Groups:
    """The groups of what is swept: a path that has one value now moves with nothing."""
    there = set(swept)
    left = (tuple(path for path in group if path in there) for group in named)
    return tuple(group for group in left if len(group) > 1)


def followers(named: Groups) -> set[str]:
    """The axes that move with another one; the first of a group is the axis of pictures."""
    return {path for group in named for path in group[1:]}


def check_lengths(named: Groups, axes: Mapping[str, tuple[int, str]]) -> None:
    """Refuse axes that move together and have different numbers of values.

    Args:
        axes: by path, how many values, and where they stand.
    """
    for first, *others in named:
        count, at = axes[first]
        for path in others:
            found, where = axes[path]
            if found != count:
                raise refusal(
                    where,
                    f"axes.{path}",
                    f"found {found} values, and {count} of {first} ({at}), with which it is"
                    " zipped; allowed: as many",
                )


def crossed(named: Groups, axes: Mapping[str, Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """Every point of the axes: a value for each, in their order.

    Groups are crossed with each other and with the other axes; a group stands where its first axis
    does.
    """
    places = {path: i for i, path in enumerate(axes)}
    behind = followers(named)
    units = [
        next((g for g in named if g[0] == path), (path,)) for path in axes if path not in behind
    ]
    order = [places[path] for unit in units for path in unit]
    back = sorted(range(len(order)), key=order.__getitem__)
    for point in itertools.product(*(list(zip(*(axes[p] for p in u), strict=True)) for u in units)):
        values = [value for unit in point for value in unit]
        yield tuple(values[i] for i in back)
