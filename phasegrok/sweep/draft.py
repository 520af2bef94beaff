"""The settings of the file, its reduced block and ``--set`` together, not yet a checked sweep."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass

from phasegrok.config import OTHER_BLOCKS, PATHS, Experiment, kinds
from phasegrok.errors import Mistakes, refusal, short
from phasegrok.sweep import variants, yaml, zipped
from phasegrok.sweep.assemble import keep_known
from phasegrok.sweep.hints import of_kinds
from phasegrok.sweep.ranges import unknown
from phasegrok.sweep.values import FIELDS, axis_values, setting
from phasegrok.sweep.yaml import Node

_OTHERS = ("name", "seeds", zipped.KEY)  # settings that are in no block
_BLOCKS = (*(n for n, i in Experiment.model_fields.items() if kinds(i.annotation)), *OTHER_BLOCKS)
_TOP = (
    "name",
    *Experiment.model_fields,
    variants.BLOCK,
    "axes",
    zipped.KEY,
    "seeds",
    *OTHER_BLOCKS,
    "reduced",
)
Changes = list[tuple[str, Node]]


@dataclass
class Draft:
    """Settings and axes by path, and variants by name; their values are not checked yet."""

    settings: dict[str, Node]
    axes: dict[str, Node]
    variants: dict[str, Node]

    def apply(self, changes: Changes, mistakes: Mistakes, prefix: str = "") -> None:
        """Let later settings replace earlier ones.

        Kinds come first, because they decide which other keys there are. ``prefix`` words the keys
        of a refusal.
        """
        for key, node in sorted(changes, key=lambda change: not change[0].endswith(".kind")):
            with mistakes:
                self._change(key, node, prefix)

    def _change(self, key: str, node: Node, prefix: str) -> None:
        if key == variants.COLUMN:
            self.variants = variants.only(self.variants, node)
        elif key == variants.BLOCK:
            self.variants = variants.replaced(self.variants, node)
        else:
            path = key.removeprefix("axes.")
            if key not in _OTHERS and key not in FIELDS and (path == key or path not in PATHS):
                settings = ("name", *FIELDS, "seeds", zipped.KEY)
                allowed = settings if path == key else tuple(PATHS)
                shown = of_kinds(allowed, self.kinds())
                raise unknown(node, prefix + key, path, allowed, shown)
            if path != key or (key in self.axes and (node.is_list or node.is_mapping)):
                self.axes[path] = node
            else:
                self._set(key, node)

    def kinds(self) -> dict[str, list[str]]:
        """By block the kinds that it names, as a setting, an axis or in a variant."""
        found: dict[str, list[str]] = {}
        named = [*self.settings.items()]
        named += [item for each in self.variants.values() for item in _mapping(each).items()]
        for path, axis in self.axes.items():
            named += [(path, value) for value in axis.value] if axis.is_list else []
        for path, node in named:
            block, _, leaf = path.rpartition(".")
            if leaf == "kind" and isinstance(node.value, str):
                found.setdefault(block, []).append(node.value)
        return found

    def groups(self) -> zipped.Groups:
        """The groups of axes that move together."""
        named = self.settings.get(zipped.KEY)
        return zipped.swept_groups(zipped.groups(named), self.axes) if named else ()

    def followers(self) -> set[str]:
        """The axes that move with another one."""
        return zipped.followers(self.groups())

    def _set(self, path: str, node: Node) -> None:
        """Give a path one value. It is swept no longer."""
        self.axes.pop(path, None)
        self.settings[path] = node
        block, _, leaf = path.partition(".")
        if leaf == "kind" and isinstance(node.value, str):
            # Settings of the replaced kind mean nothing to the new one.
            self.settings = keep_known(self.settings, block, node.value)


def read(root: Node, mistakes: Mistakes) -> Draft:
    """The settings of the file without its reduced block. Unknown keys are collected."""
    draft = Draft({}, {}, {})
    kinds = _kinds(root)
    for key, node in root.value.items():
        with mistakes:
            if key not in _TOP:
                raise unknown(node, key, key, _TOP)
            if key == "axes":
                draft.axes |= _known(node, key, tuple(PATHS), of_kinds(PATHS, kinds), mistakes)
            elif key == variants.BLOCK:
                draft.variants = variants.read(node, mistakes)
            elif key in _BLOCKS:
                paths = [path for path in FIELDS if path.startswith(f"{key}.")]
                every, shown = (
                    tuple(path.partition(".")[2] for path in each)
                    for each in (paths, of_kinds(paths, kinds))
                )
                for leaf, inner in _known(node, key, every, shown, mistakes).items():
                    draft.settings[f"{key}.{leaf}"] = inner
            elif key != "reduced":
                draft.settings[key] = node
    return draft


def _kinds(root: Node) -> dict[str, list[str]]:
    """By block the kinds that the file names anywhere."""
    settings = {
        f"{block}.kind": inner
        for block in _BLOCKS
        if block in root.value and (inner := _mapping(root.value[block]).get("kind"))
    }
    axes, named = (
        _mapping(root.value[key]) if key in root.value else {} for key in ("axes", variants.BLOCK)
    )
    return Draft(settings, dict(axes), dict(named)).kinds()


def _mapping(node: Node) -> Mapping[str, Node]:
    """The entries of a mapping; of anything else there are none."""
    return node.value if node.is_mapping else {}


def _known(
    node: Node, key: str, allowed: tuple[str, ...], shown: tuple[str, ...], mistakes: Mistakes
) -> Mapping[str, Node]:
    """The entries of a block whose keys are allowed ones; the others are mistakes."""
    known: dict[str, Node] = {}
    for leaf, inner in _entries(node, key).items():
        with mistakes:
            if leaf not in allowed:
                raise unknown(inner, f"{key}.{leaf}", leaf, allowed, shown)
            known[leaf] = inner
    return known


def _entries(node: Node, key: str) -> Mapping[str, Node]:
    if not node.is_mapping:
        raise refusal(node.where, key, f"found {node.for_display()}; allowed: {_block_words(key)}")
    return typing.cast(dict[str, Node], node.value)


def _block_words(key: str) -> str:
    """What a block is, with an example where it has keys of its own."""
    leaf = next((path.partition(".")[2] for path in FIELDS if path.startswith(f"{key}.")), "")
    return f"a mapping of keys, such as {key}: {{{leaf}: ...}}" if leaf else "a mapping of keys"


def reduced_changes(root: Node, draft: Draft, mistakes: Mistakes) -> Changes:
    """What the reduced block changes. Its keys and values are checked even when not applied."""
    if "reduced" not in root.value:
        return []
    changes: Changes = []
    with mistakes:
        changes = _listed_changes(root.value["reduced"])
    trial = Draft(dict(draft.settings), dict(draft.axes), dict(draft.variants))
    trial.apply(changes, mistakes, "reduced.")
    for key, node in changes:
        path = key.removeprefix("axes.")
        with mistakes:
            if trial.axes.get(path) is node:
                axis_values(path, node, "reduced.", path in trial.followers())
            elif trial.settings.get(key) is node:
                setting(key, node, "reduced.")
    return changes


def _listed_changes(block: Node) -> Changes:
    """The keys and values of the reduced block. Those of its axes become ``axes.PATH``."""
    changes: Changes = []
    for key, node in _entries(block, "reduced").items():
        if key == "axes":
            axes = _entries(node, "reduced.axes")
            changes += [(f"axes.{path}", axis) for path, axis in axes.items()]
        elif key.startswith(f"{variants.BLOCK}."):
            raise refusal(
                node.key_where,
                f"reduced.{key}",
                "found a part of a variant; allowed: "
                "whole ones, reduced: {variants: {NAME: {PATH: value}}}",
            )
        else:
            changes.append((key, node))
    return changes


def override(text: str) -> tuple[str, Node]:
    """The key and the value of a ``--set KEY=VALUE``."""
    where = f"--set {short(text)}"
    key, equals, value = text.partition("=")
    if not equals:
        raise refusal(where, "", "found no `=`; allowed: KEY=VALUE")
    node = yaml.read_text(value, lambda line, column: where)
    key = key.strip()
    if key == "axes":
        path = next(iter(node.value), "optimizer.weight_decay") if node.is_mapping else "PATH"
        raise refusal(where, key, f"found all axes at once; allowed: one, axes.{path}=[VALUE, ...]")
    if key.partition(".")[0] == variants.BLOCK:
        raise refusal(
            where,
            key,
            "found a change of variants; allowed: keys that they share "
            "(a variant keeps its own value), or reduced: {variants: ...}",
        )
    return key, node
