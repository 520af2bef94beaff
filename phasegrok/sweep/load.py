"""From a sweep file to a checked, frozen Sweep: one line of refusal, or a sweep that runs.

There are three sources: the file, its `reduced` block if that is asked for, and `--set` overrides.
Later ones win. Every key is checked where it stands, and then every experiment as a
whole, so that no mistake is left to be found once training has begun.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from phasegrok.config import PATHS, Engine, Experiment, Measure, Refine, is_traced
from phasegrok.config.measure import NEEDS_NEURONS, NEEDS_TOKENS, keys_that_need
from phasegrok.errors import Mistakes, escaped, refusal, short
from phasegrok.sweep import draft as drafts
from phasegrok.sweep import variants, yaml
from phasegrok.sweep.assemble import Sources, build, flat, refuse_strays
from phasegrok.sweep.draft import Draft
from phasegrok.sweep.located import beside_the_file
from phasegrok.sweep.ranges import MAX_RUNS, length
from phasegrok.sweep.sweep import Axis, Sweep
from phasegrok.sweep.values import NAME, axis_values, setting
from phasegrok.sweep.variants import Variant
from phasegrok.sweep.zipped import KEY, check_lengths

__all__ = ["Sweep", "changes_of", "dump", "home_of", "load", "load_mapping"]

# Combinations of static values. Each takes seconds to compile: ten thousand take half a day.
MAX_KINDS = 10_000
MAPPING = "sweep"  # what stands for the file in a refusal
KINDS = "combinations of values that are compiled one by one"


def dump(sweep: Sweep) -> str:
    """The resolved sweep as YAML text."""
    return yaml.write(sweep.resolved())


def load(path: Path, overrides: Sequence[str] = (), reduced: bool = False) -> Sweep:
    """The sweep that a file, its reduced block if asked for, and overrides describe.

    Raises:
        Refusal: something in them is not exactly right.
    """
    root, file = yaml.read_file(Path(path)), escaped(str(path))
    return _read(root, file, overrides, reduced, Path(path).parent)


def load_mapping(
    values: Mapping[str, Any], overrides: Sequence[str] = (), reduced: bool = False
) -> Sweep:
    """The sweep that a mapping describes, with the keys and values of a sweep file.

    Args:
        values: nested mappings, lists, numbers and texts; NumPy's are taken as Python's.
        overrides: as of ``--set``.
        reduced: whether its ``reduced`` block is applied.

    Raises:
        Refusal: something in it is not exactly right; the line begins with ``sweep``.
    """
    text = yaml.write(_plain(values))
    return _read(yaml.read_text(text, lambda line, column: MAPPING), MAPPING, overrides, reduced)


def home_of(name: str, reduced: bool) -> Path:
    """The result folder of a sweep where none is named."""
    return Path("results") / (name + ("-reduced" if reduced else ""))


def changes_of(settings: Sequence[str] | None, refine: int | None) -> list[str]:
    """The overrides that ``--set`` and ``--refine`` say."""
    return [*(settings or []), *([] if refine is None else [f"refine.levels={refine}"])]


def _plain(value: Any) -> Any:
    """What a sweep file could hold: keys are texts, and nothing is of NumPy."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, list | tuple | range):
        return [_plain(inner) for inner in value]
    return value


def _read(
    root: yaml.Node,
    file: str,
    overrides: Sequence[str],
    reduced: bool,
    home: Path | None = None,
) -> Sweep:
    mistakes = Mistakes()
    draft = drafts.read(root, mistakes)
    changes = drafts.reduced_changes(root, draft, mistakes)
    if reduced:
        if "reduced" not in root.value:
            what = "missing; required: a block of what --reduced changes"
            raise refusal(file, "reduced", what)
        mistakes.refuse()
        draft.apply(changes, mistakes)
    if home is not None:
        draft = beside_the_file(draft, home)
    given: drafts.Changes = []
    for text in overrides:
        with mistakes:
            given.append(drafts.override(text))
    draft.apply(given, mistakes)
    return _sweep(draft, file, mistakes)


def _sweep(draft: Draft, file: str, mistakes: Mistakes) -> Sweep:
    settings: dict[str, Any] = {}
    with mistakes:
        if "name" not in draft.settings:
            raise refusal(f"{file}:1:1", "name", f"missing; required: {NAME}")
    for key, node in draft.settings.items():
        with mistakes:
            settings[key] = setting(key, node)
    named: list[Variant] = []
    for name, node in draft.variants.items():
        with mistakes:
            named.append(variants.parse(name, node))
    axes: list[Axis] = []
    with mistakes:
        axes = _axes(draft, _runs_at_a_point(settings, named), mistakes)
    mistakes.refuse()  # what does not go together can only be told of values that are right
    variants.refuse_swept(named, {axis.path: axis.where for axis in axes})
    locations = {key: node.where for key, node in draft.settings.items()}
    locations |= {axis.path: axis.where for axis in axes}
    sources = Sources(file, MappingProxyType(locations), [axis.path for axis in axes])

    explicit = {path: settings[path] for path in PATHS if path in settings}
    explicit |= {axis.path: axis.values[0] for axis in axes}
    refuse_strays(explicit, sources, _swept_kinds(explicit, axes, named))
    base, unused_settings = build(explicit, sources)
    sweep = Sweep(
        settings["name"],
        base,
        tuple(axes),
        settings.get("seeds", (0,)),
        Engine(**_block(settings, "engine")),
        Measure(**_block(settings, "measure")),
        unused_settings,
        refine=Refine(**_block(settings, "refine")),
        zipped=draft.groups(),
        file=file,
        locations=sources.locations,
    )
    if sweep.refine.levels:
        _check_refine(sweep)
    sweep = replace(sweep, variants=_filled(named, explicit, sweep, sources))
    for experiment in _static_points(sweep):
        _check_measure(sweep, experiment)
    return sweep


def _check_refine(sweep: Sweep) -> None:
    """Refuse a refinement over what is no grid of numbers."""
    if sweep.zipped:
        what = f"found it with axes that move together ({KEY}); allowed: one of the two"
        raise refusal(sweep.where("refine.levels"), "refine.levels", what)
    swept = {axis.path: axis.values for axis in sweep.axes}
    where, paths = sweep.where("refine.axes"), sweep.refine.axes
    numbers = [path for path, values in swept.items() if _are_numbers(values)]
    allowed = f"allowed: two swept numbers ({', '.join(numbers) or 'this sweep has none'})"
    if len(paths) != 2:
        raise refusal(where, "refine.axes", f"found {len(paths)}; {allowed}")
    for path in paths:
        if path not in numbers:
            what = "the values of a text axis" if path in swept else "an axis that is not swept"
            raise refusal(where, "refine.axes", f"found {short(path)}, {what}; {allowed}")
        count, step = len(swept[path]), 2**sweep.refine.levels
        if list(swept[path]) != sorted(swept[path]):
            raise refusal(
                sweep.where(path), f"axes.{path}", "found no order; allowed: ascending values"
            )
        if step >= count:
            raise refusal(
                sweep.where("refine.levels"),
                "refine.levels",
                f"found {sweep.refine.levels}, steps of {step} on the {count} values of {path};"
                f" allowed: at most {max((count - 1).bit_length() - 1, 0)}",
            )


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _block(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The settings of one block, by leaf name."""
    return {k.partition(".")[2]: v for k, v in settings.items() if k.startswith(f"{name}.")}


def _runs_at_a_point(settings: Mapping[str, Any], named: Sequence[Variant]) -> int:
    """Runs that every point of the axes has: seeds times variants."""
    runs = len(settings.get("seeds", (0,))) * max(1, len(named))
    if named and runs > MAX_RUNS:
        what = f"found {runs} runs; allowed: at most {MAX_RUNS}"
        raise refusal(named[0].where, variants.BLOCK, what)
    return runs


def _static_points(sweep: Sweep) -> Iterator[Experiment]:
    """The experiments at every combination of swept static values, checked as wholes."""
    static = [axis.path for axis in sweep.axes if not is_traced(axis.path)]
    each = sweep.variants or (None,)
    for values in sweep.points(static):
        for variant in each:
            yield sweep.at(dict(zip(static, values, strict=True)), variant)


def _axes(draft: Draft, runs: int, mistakes: Mistakes) -> list[Axis]:
    """The axes, their values checked. ``runs`` is the number of runs at each of their points."""
    axes: list[Axis] = []
    counts, kinds = [runs] if runs > 1 else [], []
    groups, behind = draft.groups(), draft.followers()
    check_lengths(groups, {p: (length(n, f"axes.{p}"), n.where) for p, n in draft.axes.items()})
    for path, node in draft.axes.items():
        with mistakes:
            together = next((group for group in groups if path in group), (path,))
            if path not in behind:
                counts.append(length(node, f"axes.{path}"))
                if not all(map(is_traced, together)):
                    kinds.append(counts[-1])
            for factors, most, of in ((counts, MAX_RUNS, "runs"), (kinds, MAX_KINDS, KINDS)):
                if (number := math.prod(factors)) > most:
                    product = f"{' x '.join(map(str, factors))} = " if len(factors) > 1 else ""
                    raise refusal(
                        node.where,
                        f"axes.{path}",
                        f"found {product}{number} {of} up to this axis; allowed: at most {most}",
                    )
            values = axis_values(path, node, repeats=path in behind)
            axes.append(Axis(path, values, node.key_where))
    return axes


def _swept_kinds(
    explicit: Mapping[str, Any], axes: Sequence[Axis], named: Sequence[Variant]
) -> dict[str, list[Any]]:
    """By path, all kinds of every block whose kind is an axis or set by a variant."""
    found = {axis.path: list(axis.values) for axis in axes}
    for path, value in (item for variant in named for item in variant.settings):
        if path.endswith(".kind"):
            block = path.removesuffix(".kind")
            base = explicit.get(path, Experiment.model_fields[block].default.kind)
            found.setdefault(path, [base]).append(value)
    return found


def _filled(
    named: Sequence[Variant], explicit: Mapping[str, Any], sweep: Sweep, sources: Sources
) -> tuple[Variant, ...]:
    """The variants with everything in which they differ from the sweep's base.

    A kind that a variant chooses brings its own defaults, as if the file chose no other kind. Two
    variants that are the same experiment are refused.
    """
    base = {**dict(sweep.unused_settings), **flat(sweep.base)}
    seen: dict[Experiment, str] = {}
    filled: list[Variant] = []
    for variant in named:
        settings = dict(variant.settings)
        experiment, _ = build({**explicit, **settings}, replace(sources, variant=variant))
        if experiment in seen:
            raise refusal(
                variant.where,
                f"{variants.BLOCK}.{variant.name}",
                "found the same experiment as variant "
                f"{seen[experiment]}; allowed: variants that differ",
            )
        seen[experiment] = variant.name
        differing = {
            path: value
            for path, value in flat(experiment).items()
            if path not in sources.axes and (path not in base or base[path] != value)
        }
        filled.append(replace(variant, settings=variants.ordered({**differing, **settings})))
    return tuple(filled)


def _check_measure(sweep: Sweep, experiment: Experiment) -> None:
    """Snapshots are taken where networks are measured, and of what these networks have."""
    train = experiment.train
    last = train.steps or train.epochs or 0
    for key, found, allowed in _not_measured(experiment):
        if getattr(sweep.measure, key):
            raise refusal(
                sweep.where(f"measure.{key}"),
                f"measure.{key}",
                f"found it with {found}; allowed: {allowed}",
            )
    for step in sweep.measure.steps:
        if step % train.log_every or step > last:
            raise refusal(
                sweep.where("measure.steps"),
                "measure.steps",
                f"found {step}; allowed: multiples of log_every {train.log_every} up to {last}",
            )


def _not_measured(experiment: Experiment) -> Iterator[tuple[str, str, str]]:
    """Keys of ``measure:`` that an experiment cannot have, what is in the way, and what is not."""
    if not experiment.task.has_tokens:
        allowed = "tasks whose inputs are tokens, over which weights have a spectrum"
        for key in keys_that_need(NEEDS_TOKENS):
            yield key, f"task.kind {experiment.task.kind}", allowed
    if not experiment.model.has_neurons:
        allowed = "the sweep that trained the networks which a mixture only weighs"
        for key in keys_that_need(NEEDS_NEURONS):
            yield key, f"model.kind {experiment.model.kind}", allowed
