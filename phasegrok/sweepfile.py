"""From a sweep file to a checked, frozen Sweep: one line of refusal, or something that runs.

Three sources in rising precedence: the file, its own `reduced` block where that is asked for,
and `--set` overrides. Whatever they say is checked key by key where it stands, and then as whole
experiments, so that nothing wrong is left to be found once training has begun.
"""

from __future__ import annotations

import itertools
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from phasegrok import yamlfile
from phasegrok.config import (
    MEASURE_NOTHING,
    PATHS,
    TOKENLESS,
    Block,
    Engine,
    Experiment,
    Measure,
    is_traced,
    kinds,
)
from phasegrok.errors import Refusal
from phasegrok.fieldcheck import (
    FIELDS,
    MAX_RUNS,
    NAME,
    OTHER_BLOCKS,
    allowed_words,
    axis_values,
    length,
    setting,
    unknown,
)
from phasegrok.program import has
from phasegrok.yamlfile import Node, refusal, short

_SETTINGS = ("name", *FIELDS, "seeds")
_CHANGES = (*_SETTINGS, *(f"axes.{path}" for path in PATHS))
_BLOCKS = (*(n for n, i in Experiment.model_fields.items() if kinds(i.annotation)), *OTHER_BLOCKS)
MAX_CHECKED = 10_000
# What looks at layers of neurons, all of them frozen in a mixture.
LOOKS = ("spectra", "pruning", "rows", "readout", "activations", "spectral_norms")
_TOP = ("name", *Experiment.model_fields, "axes", "seeds", *OTHER_BLOCKS, "reduced")


@dataclass(frozen=True)
class Axis:
    """A swept config path and its values, in order."""

    path: str
    values: tuple[Any, ...]
    where: str = field(compare=False)  # file:line:column, or the --set that gave it


@dataclass(frozen=True)
class Sweep:
    """Base experiment, axes and seeds: the runs are their full product.

    Where a path is swept, `base` holds the first value of its axis.
    """

    name: str
    base: Experiment
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    engine: Engine
    measure: Measure = MEASURE_NOTHING
    # Settings that only another kind on a swept `kind` axis has: (path, value) each.
    others: tuple[tuple[str, Any], ...] = ()
    file: str = field(default="", compare=False)
    places: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )

    def at(self, values: Mapping[str, Any]) -> Experiment:
        """The base with these values at dotted paths, checked as a whole.

        Where a kind is among the values, settings that only other kinds have are left out and
        those that only this kind has take their given value or default.
        Raises Refusal, naming the axis, where the combination is not possible.
        """
        flat = {**dict(self.others), **_flat(self.base), **values}
        experiment, _ = _build(flat, self.axes, self.where)
        return experiment

    def where(self, path: str) -> str:
        """Where the file (or --set) says what is at a path; the file itself for a default."""
        return self.places.get(path, self.file)

    def resolved(self) -> dict[str, Any]:
        """Everything, defaults included, as plain values that load as an equal sweep."""
        blocks = self.base.model_dump()
        for path, value in self.others:
            block, _, leaf = path.partition(".")
            blocks[block][leaf] = value
        if not has(self.base, "data.data_fraction"):
            del blocks["data"]["data_fraction"]
        return {
            "name": self.name,
            **blocks,
            "axes": {axis.path: list(axis.values) for axis in self.axes},
            "seeds": list(self.seeds),
            "measure": self.measure.model_dump(mode="json"),
            "engine": self.engine.model_dump(),
        }


@dataclass
class _Draft:
    """What the sources say so far, not yet checked."""

    settings: dict[str, Node]
    axes: dict[str, Node]


def dump(sweep: Sweep) -> str:
    """The resolved sweep as YAML text."""
    return yamlfile.write(sweep.resolved())


def load(path: Path, overrides: Sequence[str] = (), reduced: bool = False) -> Sweep:
    """The sweep that a file, its reduced block if asked for, and overrides describe.

    Raises Refusal for anything that is not exactly right.
    """
    root = yamlfile.read_file(Path(path))
    file = yamlfile.escaped(str(path))
    draft = _read(root)
    changes = _reduced_changes(root, draft)
    if reduced:
        if "reduced" not in root.value:
            raise refusal(file, "reduced", "found no such block; allowed: --reduced where "
                          "the file says in `reduced:` what it changes")  # fmt: skip
        _apply(draft, changes)
    _apply(draft, [_override(text) for text in overrides])
    return _sweep(draft, file)


def _read(root: Node) -> _Draft:
    draft = _Draft({}, {})
    for key, node in root.value.items():
        if key not in _TOP:
            raise unknown(node, key, key, _TOP)
        if key == "axes":
            for path, axis in _entries(node, key):
                if path not in PATHS:
                    raise unknown(axis, f"axes.{path}", path, tuple(PATHS))
                draft.axes[path] = axis
        elif key in _BLOCKS:
            leaves = tuple(p.partition(".")[2] for p in FIELDS if p.startswith(f"{key}."))
            for leaf, inner in _entries(node, key):
                if leaf not in leaves:
                    raise unknown(inner, f"{key}.{leaf}", leaf, leaves)
                draft.settings[f"{key}.{leaf}"] = inner
        elif key != "reduced":
            draft.settings[key] = node
    return draft


def _entries(node: Node, key: str) -> Iterable[tuple[str, Node]]:
    if not node.is_mapping:
        raise refusal(node.where, key, f"found {node.shown()}; allowed: a mapping of keys")
    return typing.cast(dict[str, Node], node.value).items()


def _reduced_changes(root: Node, draft: _Draft) -> list[tuple[str, Node]]:
    """What the reduced block changes; its keys and values are checked even when not applied."""
    if "reduced" not in root.value:
        return []
    changes: list[tuple[str, Node]] = []
    for key, node in _entries(root.value["reduced"], "reduced"):
        if key == "axes":
            inner = _entries(node, "reduced.axes")
            changes += [(f"axes.{path}", axis) for path, axis in inner]
        else:
            changes.append((key, node))
    trial = _Draft(dict(draft.settings), dict(draft.axes))
    _apply(trial, changes, "reduced.")
    for key, node in changes:
        path = key.removeprefix("axes.")
        if trial.axes.get(path) is node:
            axis_values(path, node, "reduced.")
        elif trial.settings.get(key) is node:
            setting(key, node, "reduced.")
    return changes


def _override(text: str) -> tuple[str, Node]:
    where = f"--set {short(text)}"
    key, equals, value = text.partition("=")
    if not equals:
        raise refusal(where, "", "found no `=`; allowed: KEY=VALUE")
    node = yamlfile.read_text(value, lambda line, column: where)
    return key.strip(), node


def _apply(draft: _Draft, changes: Iterable[tuple[str, Node]], prefix: str = "") -> None:
    """Let later settings replace earlier ones; kinds first, since they decide what else fits."""
    for key, node in sorted(changes, key=lambda change: not change[0].endswith(".kind")):
        path = key.removeprefix("axes.")
        if key not in _CHANGES:
            raise unknown(node, prefix + key, path, _SETTINGS if path == key else tuple(PATHS))
        if path != key or (key in draft.axes and (node.is_list or node.is_mapping)):
            draft.axes[path] = node
            continue
        draft.axes.pop(key, None)
        draft.settings[key] = node
        block, _, leaf = key.partition(".")
        if leaf == "kind" and isinstance(node.value, str):
            # What was said about the replaced kind says nothing about the new one.
            fitting = _leaves(block, [node.value])
            for given in [p for p in draft.settings if p.startswith(f"{block}.")]:
                if fitting and given.partition(".")[2] not in fitting:
                    del draft.settings[given]


def _sweep(draft: _Draft, file: str) -> Sweep:
    if "name" not in draft.settings:
        raise refusal(f"{file}:1:1", "name", f"found no such key; allowed: {NAME}")
    settings = {key: setting(key, node) for key, node in draft.settings.items()}
    seeds = settings.get("seeds", (0,))
    axes: list[Axis] = []
    runs = len(seeds)
    for path, node in draft.axes.items():
        runs *= length(node, f"axes.{path}")
        if runs > MAX_RUNS:
            raise refusal(node.where, f"axes.{path}", f"found {runs} runs up to this axis; "
                          f"allowed: at most {MAX_RUNS}")  # fmt: skip
        axes.append(Axis(path, axis_values(path, node), node.key_where))
    places = {key: node.where for key, node in draft.settings.items()}
    places |= {axis.path: axis.where for axis in axes}

    def where(path: str) -> str:
        return places.get(path, file)

    flat = {path: settings[path] for path in PATHS if path in settings}
    flat |= {axis.path: axis.values[0] for axis in axes}
    base, others = _build(flat, axes, where)

    def block(name: str) -> dict[str, Any]:
        return {k.partition(".")[2]: v for k, v in settings.items() if k.startswith(f"{name}.")}

    sweep = Sweep(
        settings["name"], base, tuple(axes), seeds, Engine(**block("engine")),
        Measure(**block("measure")), others, file, MappingProxyType(places),
    )  # fmt: skip
    static = [axis for axis in axes if not is_traced(axis.path)]
    # Of very many combinations the first are looked at here; planning looks at all of them.
    for values in itertools.islice(itertools.product(*(a.values for a in static)), MAX_CHECKED):
        experiment = sweep.at({axis.path: v for axis, v in zip(static, values, strict=True)})
        _check_measure(sweep, experiment)
    return sweep


def _check_measure(sweep: Sweep, experiment: Experiment) -> None:
    """Networks can be looked into where they are measured, and have a spectrum over tokens."""
    train = experiment.train
    last = train.steps or train.epochs or 0
    for names, found, allowed in (
        (
            ("spectra", "pruning", "rows") if experiment.task.kind in TOKENLESS else (),
            f"task.kind {experiment.task.kind}",
            "tasks whose inputs are tokens, over which weights have a spectrum",
        ),
        (
            LOOKS if experiment.model.kind == "mixture" else (),
            "model.kind mixture",
            "the sweep that trained the networks which a mixture only weighs",
        ),
    ):
        for name in names:
            if getattr(sweep.measure, name):
                raise refusal(sweep.where(f"measure.{name}"), f"measure.{name}",
                              f"found it with {found}; allowed: {allowed}")  # fmt: skip
    for step in sweep.measure.steps:
        if step % train.log_every or step > last:
            raise refusal(
                sweep.where("measure.steps"), "measure.steps", f"found {step}; allowed: multiples"
                f" of log_every {train.log_every} up to {last}"
            )  # fmt: skip


def _flat(experiment: Experiment) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in experiment:
        if isinstance(value, Block):
            # Of the data only what was said: a default that the task has no use for is no mistake.
            said = value.model_fields_set if name == "data" else type(value).model_fields
            found |= {f"{name}.{k}": v for k, v in value if k in said}
        else:
            found[name] = value
    return found


def _leaves(block: str, allowed_kinds: Iterable[Any]) -> set[str]:
    """The keys of a block under any of these kinds."""
    classes = kinds(Experiment.model_fields[block].annotation)
    wanted = set(allowed_kinds)
    return {k for c in classes if c.model_fields["kind"].default in wanted for k in c.model_fields}


def _build(
    flat: Mapping[str, Any], axes: Sequence[Axis], where: Callable[[str], str]
) -> tuple[Experiment, tuple[tuple[str, Any], ...]]:
    """The experiment with these values, and the values that only another swept kind has."""
    swept = {axis.path: axis.values for axis in axes}
    built: dict[str, Any] = {}
    others: list[tuple[str, Any]] = []
    for name, info in Experiment.model_fields.items():
        classes = kinds(info.annotation)
        if not classes:
            built |= {name: flat[name]} if name in flat else {}
            continue
        leaves = {p.partition(".")[2]: v for p, v in flat.items() if p.startswith(f"{name}.")}
        block = classes[0]
        if "kind" in block.model_fields:
            kind = leaves.get("kind", info.default.kind)
            block = next(c for c in classes if c.model_fields["kind"].default == kind)
            elsewhere = _leaves(name, swept.get(f"{name}.kind", ()))
            for leaf in [leaf for leaf in leaves if leaf not in block.model_fields]:
                path = f"{name}.{leaf}"
                if path in swept or leaf not in elsewhere:
                    has = ", ".join(block.model_fields)
                    what = f"found a key that {name}.kind {kind} does not have; allowed: {has}"
                    raise refusal(where(path), path, what)
                others.append((path, leaves.pop(leaf)))
        try:
            built[name] = block(**leaves)
        except ValidationError as error:
            raise _refused(error, name, block, swept, where) from None
    try:
        return Experiment(**built), tuple(sorted(others))
    except ValidationError as error:
        raise _refused_whole(error, swept, where) from None


def _refused(
    error: ValidationError, name: str, block: type[Block], swept: Mapping[str, Any],
    where: Callable[[str], str],
) -> Refusal:  # fmt: skip
    """A block's own refusal, at the field it is most likely about: a swept one, then a given."""
    first = error.errors()[0]
    if first["loc"]:
        path = f"{name}.{first['loc'][0]}"
        if first["type"] == "missing":
            what = f"found no such key; allowed: {allowed_words(path)}"
            return refusal(where(f"{name}.kind"), path, what)
        allowed = allowed_words(path) if path in PATHS else "another value"
        return refusal(where(path), path, f"found {short(str(first['input']))}; allowed: {allowed}")
    text = str(first.get("ctx", {}).get("error", first["msg"]))
    named = [f"{name}.{leaf}" for leaf in block.model_fields if re.search(rf"\b{leaf}\b", text)]
    path = _likeliest(named, swept, where) if named else name
    return refusal(where(path), path, text)


def _refused_whole(
    error: ValidationError, swept: Mapping[str, Any], where: Callable[[str], str]
) -> Refusal:
    """A refusal of blocks that do not go together, at the likeliest of the paths it names."""
    text = str(error.errors()[0]["ctx"]["error"])
    named = [path for path in PATHS if re.search(rf"\b{re.escape(path)}\b", text)]
    path = _likeliest(named, swept, where)
    return refusal(where(path), path, text)


def _likeliest(paths: Iterable[str], swept: Mapping[str, Any], where: Callable[[str], str]) -> str:
    """The newest word on a matter is the likeliest mistake: an axis, a --set, the file."""
    return min(
        paths, key=lambda p: (p not in swept, not where(p).startswith("--set"), ":" not in where(p))
    )
