"""Data named by a sweep file: paths in it are looked up beside the file first.

A file and its data can so be moved together, and started from anywhere. A path that leads nowhere
from there is taken from the working directory, as one given with ``--set`` always is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from phasegrok.config import PATHS
from phasegrok.config.fields import is_file_path
from phasegrok.sweep.draft import Draft
from phasegrok.sweep.yaml import Node

__all__ = ["beside_the_file"]

BUILT_IN: Final = ("digits",)  # names of data that come with a library, and are no paths


def beside_the_file(draft: Draft, home: Path) -> Draft:
    """The draft with every path of data that is there, seen from ``home``, as such a path."""

    def each(nodes: dict[str, Node]) -> dict[str, Node]:
        return {
            path: _found(node, home) if _is_file(path) else node for path, node in nodes.items()
        }

    variants = {
        name: replace(node, value=each(node.value)) if node.is_mapping else node
        for name, node in draft.variants.items()
    }
    return Draft(each(draft.settings), each(draft.axes), variants)


def _is_file(path: str) -> bool:
    return any(map(is_file_path, PATHS.get(path, ())))


def _found(node: Node, home: Path) -> Node:
    if node.is_list:
        return replace(node, value=[_found(item, home) for item in node.value])
    if not isinstance(node.value, str) or node.value in BUILT_IN:
        return node
    path = home / node.value
    try:
        there = path.exists()
    except (OSError, ValueError):  # too long, or with a NUL byte: refused where it is read
        return node
    return replace(node, value=str(path)) if there else node
