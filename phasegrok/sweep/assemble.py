"""From values at dotted paths to a checked Experiment, and back.

What does not go together is refused where the newest word on the matter stands: a variant's own
setting, an axis, a ``--set``, the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from phasegrok.config import PATHS, Block, Experiment
from phasegrok.config.paths import block_classes, default_kind, kind_of, leaves
from phasegrok.errors import Refusal
from phasegrok.sweep.values import allowed_words
from phasegrok.sweep.variants import BLOCK, Variant
from phasegrok.sweep.yaml import refusal, short

Value = TypeVar("Value")


@dataclass(frozen=True)
class Sources:
    """Where an experiment's values come from, for saying which of them does not fit.

    Attributes:
        file: the sweep file.
        places: file:line:column, or the --set, of what is said and of axes, by path.
        axes: swept paths.
        variant: the variant that the experiment is of, if it is of one.
    """

    file: str
    places: Mapping[str, str]
    axes: Collection[str] = ()
    variant: Variant | None = None

    @property
    def own(self) -> Collection[str]:
        """Paths that the variant itself sets."""
        return self.variant.places if self.variant else ()

    def refusal(self, paths: Iterable[str], what: str) -> Refusal:
        """A refusal at the path of these that is most likely mistaken."""

        def age(path: str) -> tuple[bool, ...]:
            place = self.places.get(path, self.file)
            return (
                path not in self.own,
                path not in self.axes,
                not place.startswith("--set"),
                ":" not in place,
            )

        return self.refusal_at(min(paths, key=age), what)

    def refusal_at(self, path: str, what: str, said: str = "") -> Refusal:
        """A refusal at a path; what no variant's axis or --set says, its variant is to blame for,
        since the base alone was found sound. ``said`` is the path that made a missing one due."""
        said = said or path
        place = self.places.get(said, self.file)
        variant = self.variant
        if variant and (said in self.own or not (said in self.axes or place.startswith("--set"))):
            place = variant.places.get(said, variant.where)
            path = f"{BLOCK}.{variant.name}.{path}"
        return refusal(place, path, what)


def flat(experiment: Experiment) -> dict[str, Any]:
    """An experiment's values by dotted path."""
    found: dict[str, Any] = {}
    for name, value in experiment:
        if isinstance(value, Block):
            # Of the data only what was said: a default that the task has no use for is no mistake.
            said = value.model_fields_set if name == "data" else type(value).model_fields
            found |= {f"{name}.{k}": v for k, v in value if k in said}
        else:
            found[name] = value
    return found


def fitting(said: Mapping[str, Value], block: str, kind: Any) -> dict[str, Value]:
    """What was said, without what only other kinds of a block have; all of it for no kind."""
    fits = leaves(block, [kind])
    return {
        path: value
        for path, value in said.items()
        if not fits or path.partition(".")[0] != block or path.partition(".")[2] in fits
    }


def check_fits(
    said: Mapping[str, Any], sources: Sources, elsewhere: Mapping[str, Iterable[Any]]
) -> None:
    """Refuse keys that neither the kind said, or its default, nor any elsewhere in the sweep has.

    Args:
        elsewhere: values of ``BLOCK.kind`` that axes and variants have, by that path.
    """
    for path in said:
        block, _, leaf = path.rpartition(".")
        kind = said.get(f"{block}.kind", default_kind(block)) if block else None
        if kind is not None and leaf not in leaves(block, elsewhere.get(f"{block}.kind", [kind])):
            raise _stray(path, kind, sources)


def build(
    values: Mapping[str, Any], sources: Sources
) -> tuple[Experiment, tuple[tuple[str, Any], ...]]:
    """The experiment with these values at dotted paths, and the values that its kinds have not.

    Raises:
        Refusal: a swept path, or one that the variant sets, is not of this kind; a block's values
            or the blocks do not go together.
    """
    built: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name in Experiment.model_fields:
        classes = block_classes(name)
        if not classes:
            built |= {name: values[name]} if name in values else {}
            continue
        inner = {p.partition(".")[2]: v for p, v in values.items() if p.startswith(f"{name}.")}
        block = classes[0]
        if "kind" in block.model_fields:
            kind = inner.get("kind", default_kind(name))
            block = next(c for c in classes if kind_of(c) == kind)
            for leaf in [leaf for leaf in inner if leaf not in block.model_fields]:
                path = f"{name}.{leaf}"
                if path in sources.axes or path in sources.own:
                    raise _stray(path, kind, sources)
                others[path] = inner.pop(leaf)
        try:
            built[name] = block(**inner)
        except ValidationError as error:
            raise _refused(error, name, block, sources) from None
    try:
        return Experiment(**built), tuple(sorted(others.items()))
    except ValidationError as error:
        text = str(error.errors()[0]["ctx"]["error"])
        named = [path for path in PATHS if re.search(rf"\b{re.escape(path)}\b", text)]
        raise sources.refusal(named, text) from None


def _stray(path: str, kind: Any, sources: Sources) -> Refusal:
    block = path.partition(".")[0]
    has = ", ".join(next(c for c in block_classes(block) if kind_of(c) == kind).model_fields)
    what = f"found a key that {block}.kind {kind} does not have; allowed: {has}"
    return sources.refusal_at(path, what)


def _refused(error: ValidationError, name: str, block: type[Block], sources: Sources) -> Refusal:
    """A block's own refusal, at the field that it is most likely about."""
    first = error.errors()[0]
    if first["loc"]:
        path = f"{name}.{first['loc'][0]}"
        if first["type"] == "missing":
            what = f"found no such key; allowed: {allowed_words(path)}"
            return sources.refusal_at(path, what, said=f"{name}.kind")
        allowed = allowed_words(path) if path in PATHS else "another value"
        return sources.refusal_at(path, f"found {short(str(first['input']))}; allowed: {allowed}")
    text = str(first.get("ctx", {}).get("error", first["msg"]))
    named = [f"{name}.{leaf}" for leaf in block.model_fields if re.search(rf"\b{leaf}\b", text)]
    return sources.refusal(named or [name], text)
