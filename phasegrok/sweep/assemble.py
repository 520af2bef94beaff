"""From values at dotted paths to a checked Experiment, and back.

Values that do not go together are refused at the location that most likely holds the mistake: a
setting of the variant, an axis, a ``--set``, the file, in this order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from phasegrok.config import PATHS, Block, Experiment
from phasegrok.config.paths import block_classes, default_kind, kind_of, leaves
from phasegrok.errors import Refusal, refusal, short
from phasegrok.sweep.values import allowed_words
from phasegrok.sweep.variants import BLOCK, Variant

Value = TypeVar("Value")
Settings = tuple[tuple[str, Any], ...]  # (path, value) each


@dataclass(frozen=True)
class Sources:
    """Where the values of an experiment come from. Refusals use it to name the mistaken one.

    Attributes:
        file: the sweep file.
        locations: file:line:column, or the --set, of every explicit setting and axis, by path.
        axes: swept paths.
        variant: the variant that the experiment belongs to, if any.
    """

    file: str
    locations: Mapping[str, str]
    axes: Collection[str] = ()
    variant: Variant | None = None

    @property
    def variant_paths(self) -> Collection[str]:
        """Paths that the variant sets."""
        return self.variant.locations if self.variant else ()

    def refusal(self, paths: Iterable[str], what: str) -> Refusal:
        """A refusal at the path, of these, that is most likely mistaken."""

        def rank(path: str) -> tuple[bool, ...]:
            location = self.locations.get(path, self.file)
            return (
                path not in self.variant_paths,
                path not in self.axes,
                not location.startswith("--set"),
                ":" not in location,
            )

        return self.refusal_at(min(paths, key=rank), what)

    def refusal_at(self, path: str, what: str, cause: str = "") -> Refusal:
        """A refusal at a path.

        The base alone was found sound. So where neither an axis nor a --set gives the value, the
        variant is to blame.

        Args:
            path: the key that the refusal names.
            what: what was found and what is allowed.
            cause: the path whose value asks for a missing key. The refusal stands there.
        """
        cause = cause or path
        location = self.locations.get(cause, self.file)
        shared = cause in self.axes or location.startswith("--set")
        if self.variant and (cause in self.variant_paths or not shared):
            location = self.variant.locations.get(cause, self.variant.where)
            path = f"{BLOCK}.{self.variant.name}.{path}"
        return refusal(location, path, what)


def flat(experiment: Experiment) -> dict[str, Any]:
    """An experiment's values by dotted path."""
    found: dict[str, Any] = {}
    for name, value in experiment:
        if isinstance(value, Block):
            # Some tasks have no use for a default of the data block. Only explicit values count.
            explicit = value.model_fields_set if name == "data" else type(value).model_fields
            found |= {f"{name}.{leaf}": inner for leaf, inner in value if leaf in explicit}
        else:
            found[name] = value
    return found


def keep_known(settings: Mapping[str, Value], block: str, kind: Any) -> dict[str, Value]:
    """The settings without those keys of a block that this kind does not have.

    For an unknown kind all are kept. It is refused later.
    """
    known = leaves(block, [kind])
    return {
        path: value
        for path, value in settings.items()
        if not known or path.partition(".")[0] != block or path.partition(".")[2] in known
    }


def refuse_strays(
    explicit: Mapping[str, Any], sources: Sources, swept_kinds: Mapping[str, Iterable[Any]]
) -> None:
    """Refuse explicit keys that no kind in the sweep has.

    Args:
        explicit: settings by path.
        sources: where they come from.
        swept_kinds: by path ``BLOCK.kind`` the kinds that axes and variants give.
    """
    for path in explicit:
        block, _, leaf = path.rpartition(".")
        kind = explicit.get(f"{block}.kind", default_kind(block)) if block else None
        if kind is not None and leaf not in leaves(block, swept_kinds.get(f"{block}.kind", [kind])):
            raise _stray(path, kind, sources)


def build(values: Mapping[str, Any], sources: Sources) -> tuple[Experiment, Settings]:
    """The experiment with these values at dotted paths, and the values that its kinds do not have.

    Raises:
        Refusal: an axis or the variant sets a path that the kind does not have, or the values do
            not go together.
    """
    built: dict[str, Any] = {}
    unused: dict[str, Any] = {}
    for name in Experiment.model_fields:
        classes = block_classes(name)
        if not classes:
            built |= {name: values[name]} if name in values else {}
            continue
        inner = {p.partition(".")[2]: v for p, v in values.items() if p.startswith(f"{name}.")}
        kind = inner.get("kind", default_kind(name))
        block = next(c for c in classes if kind_of(c) == kind)
        for leaf in [leaf for leaf in inner if leaf not in block.model_fields]:
            unused[f"{name}.{leaf}"] = inner.pop(leaf)
        set_here = [path for path in unused if path in {*sources.axes, *sources.variant_paths}]
        if set_here:
            raise _stray(set_here[0], kind, sources)
        try:
            built[name] = block(**inner)
        except ValidationError as error:
            raise _refused(error, name, block, sources) from None
    return _experiment(built, sources), tuple(sorted(unused.items()))


def _experiment(blocks: Mapping[str, Any], sources: Sources) -> Experiment:
    """The experiment with these blocks, which may not go together."""
    try:
        return Experiment(**blocks)
    except ValidationError as error:
        text = str(error.errors()[0]["ctx"]["error"])
        named = [path for path in PATHS if re.search(rf"\b{re.escape(path)}\b", text)]
        raise sources.refusal(named, text) from None


def _stray(path: str, kind: Any, sources: Sources) -> Refusal:
    block = path.partition(".")[0]
    known = ", ".join(next(c for c in block_classes(block) if kind_of(c) == kind).model_fields)
    return sources.refusal_at(path, f"not available for {block}.kind {kind}; use one of: {known}")


def _refused(error: ValidationError, name: str, block: type[Block], sources: Sources) -> Refusal:
    """A block's refusal as ours, at the field that is most likely mistaken."""
    first = error.errors()[0]
    if first["loc"]:
        path = f"{name}.{first['loc'][0]}"
        if first["type"] == "missing":
            what = f"missing; required: {allowed_words(path)}"
            return sources.refusal_at(path, what, cause=f"{name}.kind")
        allowed = allowed_words(path) if path in PATHS else "another value"
        return sources.refusal_at(path, f"found {short(str(first['input']))}; allowed: {allowed}")
    text = str(first.get("ctx", {}).get("error", first["msg"]))
    named = [f"{name}.{leaf}" for leaf in block.model_fields if re.search(rf"\b{leaf}\b", text)]
    return sources.refusal(named or [name], text)
