"""Where one phase ends and the next begins: the lines between phases, as numbers.

In every slice of a diagram a line along one axis passes from phase to phase. A boundary lies
midway between two neighbouring cells with different labels, and is known to half their distance.
With several seeds the share of seeds on its far side is fitted too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from phasegrok.analysis.at import rows_by
from phasegrok.analysis.phases import classify
from phasegrok.analysis.plane import plane

__all__ = [
    "GENERALIZES",
    "GENERALIZING",
    "Fit",
    "boundaries",
    "bounds_generalization",
    "logistic",
    "of_generalization",
]

# The last is both kinds of Inversion, in the column `phase`.
GENERALIZING: Final = ("Coexistence", "Partial Inversion", "Full Inversion", "Inversion")
# The two sides of the boundary of generalization, which the phases on either side make up.
FAILS: Final = "does not generalize"
GENERALIZES: Final = "generalizes"
SIDE: Final = "side of generalization"  # a column that no axis is called by
COLUMNS: Final = (
    "along",
    "at",
    "below",
    "above",
    "position",
    "half_width",
    "seeds",
    "fit",
    "fit_low",
    "fit_high",
)
# Beyond it a logistic curve is a step between two neighbouring cells.
SEPARABLE: Final = 1e6


class Fit(NamedTuple):
    """A fitted position with its 95 % interval."""

    position: float
    low: float
    high: float


NO_FIT: Final = Fit(np.nan, np.nan, np.nan)


def boundaries(
    cells: pd.DataFrame,
    runs: pd.DataFrame | None,
    axes: Sequence[str],
    label: str = "subphase",
) -> pd.DataFrame:
    """Every boundary of a sweep's phases.

    Args:
        cells: table of labelled cells.
        runs: the ``runs`` table, for fits over seeds; without it there are none.
        axes: the swept columns.
        label: ``subphase``, ``phase`` or ``direct_phase``.

    Returns:
        For every slice (a combination of the other axes), axis of the diagram (``along``), value of
        its other axis (``at``, null if there is none) and pair of labels that meet somewhere in the
        slice along this axis, ``below`` and ``above`` it: ``position`` and ``half_width``, null
        where they do not meet, a row each where they meet more than once; ``seeds`` that were
        trained there; and ``fit``, ``fit_low``, ``fit_high`` from :func:`logistic`, null with one
        seed. The pair of :data:`FAILS` and :data:`GENERALIZES` is the boundary of generalization.
    """
    spread = plane(cells, axes)
    slices = [name for name in axes if name not in spread]
    if runs is None:
        runs = pd.DataFrame(columns=[*axes, label])
    else:
        runs = runs.drop(columns=label, errors="ignore").join(classify(runs)[[label]])
    runs = runs[[*axes, *(name for name in ("seed", label) if name in runs)]]
    cells, runs = (table.assign(**{SIDE: _side(table[label])}) for table in (cells, runs))
    found: list[dict[str, Any]] = []
    runs_of = rows_by(runs, slices)
    for values, part in _groups(cells, slices):
        place = dict(zip(slices, values, strict=True))
        theirs = runs_of(values)
        for along in spread:
            by = [name for name in spread if name != along]
            there = rows_by(theirs, by)
            for column in (label, SIDE):
                for row in _slice(list(_lines(part, there, along, by, column))):
                    found.append({**place, **row})
    return pd.DataFrame(found, columns=[*slices, *COLUMNS])


def bounds_generalization(lines: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are of the boundary of generalization."""
    return lines["above"].eq(GENERALIZES) | lines["below"].eq(GENERALIZES)


def of_generalization(lines: pd.DataFrame) -> pd.DataFrame:
    """The boundary of generalization.

    Args:
        lines: a table of :func:`boundaries`.

    Returns:
        Its rows, a row for every place where generalization begins (``above`` is
        :data:`GENERALIZES`) or ends (``below`` is), and one without a position for every value at
        which it does neither.
    """
    rows = lines[bounds_generalization(lines)]
    line = [name for name in rows if name not in COLUMNS[2:]]
    known = rows["position"].notna()
    somewhere = known.groupby([rows[name] for name in line], dropna=False).transform("any")
    return rows[known | (~somewhere.astype(bool) & ~rows.duplicated(line))]


def logistic(x: np.ndarray, above: np.ndarray) -> Fit:
    """Where half of the seeds are on the far side, by a logistic fit.

    Args:
        x: (runs,) positions along the axis.
        above: (runs,) whether each run has the label above the boundary.

    Returns:
        The position and its 95 % interval by the delta method. Where no position has seeds of both
        kinds, the middle and the ends of the gap between the two; NaN if the runs are all of one
        kind, or fewer seeds are above at larger positions.
    """
    if above.all() or not above.any():
        return NO_FIT
    low, high = float(x[~above].max()), float(x[above].min())
    if low < high:
        return Fit((low + high) / 2, low, high)
    from sklearn.linear_model import LogisticRegression  # takes a second, and few need it

    centre, scale = float(x.mean()), float(x.std()) or 1.0
    z = (x - centre) / scale
    model = LogisticRegression(C=SEPARABLE, max_iter=1000).fit(z[:, None], above)
    slope, offset = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope <= 0:
        return NO_FIT
    share = model.predict_proba(z[:, None])[:, 1]
    design = np.stack([np.ones_like(z), z], axis=1)
    covariance = np.linalg.pinv(design.T @ (design * (share * (1 - share))[:, None]))
    gradient = np.array([-1 / slope, offset / slope**2])
    half = 1.96 * float(np.sqrt(gradient @ covariance @ gradient)) * scale
    position = centre - offset / slope * scale
    return Fit(position, position - half, position + half)


@dataclass(frozen=True)
class _Line:
    """The cells along one axis at one value of the other, in order, and the runs there."""

    at: Any
    x: np.ndarray
    labels: list[str]
    runs_at: Callable[[], pd.DataFrame]
    label: str
    along: str

    @cached_property
    def runs(self) -> pd.DataFrame:
        """Found where they are asked for: most lines of a large sweep have no boundary."""
        return self.runs_at()

    @cached_property
    def seeds(self) -> int:
        return int(self.runs["seed"].nunique()) if "seed" in self.runs else 0


def _groups(
    table: pd.DataFrame, by: Sequence[str]
) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    for values, rows in _places(table, by):
        yield values, table.iloc[rows]


def _side(labels: pd.Series[Any]) -> pd.Series[Any]:
    """On which side of the boundary of generalization each label is."""
    return labels.isin(GENERALIZING).map({True: GENERALIZES, False: FAILS})


def _lines(
    cells: pd.DataFrame,
    runs_at: Callable[[Sequence[Any]], pd.DataFrame],
    along: str,
    by: Sequence[str],
    label: str,
) -> Iterator[_Line]:
    """The lines of a slice along an axis.

    Args:
        cells: of the slice.
        runs_at: its runs at the values of ``by``.
        along: the axis.
        by: the diagram's other axis, if there is one.
        label: the column that says which side a cell or run is on.
    """
    ordered = cells.sort_values(along)
    x, labels = ordered[along].to_numpy(np.float64), ordered[label].to_numpy(object)
    for values, rows in _places(ordered, by):
        at = values[0] if values else None
        rows = rows[~np.isnan(x[rows])]
        yield _Line(at, x[rows], list(labels[rows]), partial(runs_at, values), label, along)


def _places(table: pd.DataFrame, by: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], np.ndarray]]:
    """Values of some columns, in order, and the positions of the rows that have them."""
    if not by:
        yield (), np.arange(len(table))
        return
    groups = table.groupby(list(by), sort=True, dropna=False)
    number = groups.ngroup().to_numpy()
    order = np.argsort(number, kind="stable")
    firsts = np.flatnonzero(np.diff(number[order], prepend=-1))
    for rows in np.split(order, firsts[1:]) if len(order) else []:
        yield tuple(table[name].iloc[rows[0]] for name in by), rows


def _slice(lines: list[_Line]) -> Iterator[dict[str, Any]]:
    """A row for every line and every pair that meets in some line."""
    meetings = [
        [(a, b, i) for i, (a, b) in enumerate(pairwise(line.labels)) if a != b] for line in lines
    ]
    pairs = dict.fromkeys((a, b) for line in meetings for a, b, _ in line)
    for below, above in pairs:
        for line, met in zip(lines, meetings, strict=True):
            row = {"along": line.along, "at": line.at, "below": below, "above": above}
            row["seeds"] = line.seeds
            places = [i for a, b, i in met if (a, b) == (below, above)]
            fit = _fit(line, below, above) if len(places) == 1 and row["seeds"] > 1 else NO_FIT
            row |= {"fit": fit.position, "fit_low": fit.low, "fit_high": fit.high}
            if not places:
                yield row | {"position": np.nan, "half_width": np.nan}
            for i in places:
                low, high = line.x[i], line.x[i + 1]
                yield row | {"position": (low + high) / 2, "half_width": (high - low) / 2}


def _fit(line: _Line, below: str, above: str) -> Fit:
    """The fit over the seeds that have one of two labels."""
    runs = line.runs[line.runs[line.label].isin([below, above])]
    return logistic(
        runs[line.along].to_numpy(np.float64), (runs[line.label] == above).to_numpy(dtype=bool)
    )
