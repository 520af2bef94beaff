"""A result folder in a script or a notebook: its tables, networks, examples and pictures."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from phasegrok.analysis.at import rows_at
from phasegrok.analysis.boundaries import of_generalization
from phasegrok.errors import Refusal
from phasegrok.figures.context import Tables, read_context
from phasegrok.plugins import check_loaded
from phasegrok.results.folder import Folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from phasegrok.config import Experiment
    from phasegrok.plan.runs import RunTable

__all__ = ["Results", "load"]

CLOSE: Final = 1e-9  # relative; axis values are decimal numbers


class Results:
    """The results of a sweep, read when they are first asked for.

    Every table is a pandas data frame, and a property: ``cells``, ``runs``, ``curves``,
    ``boundaries``, and what ``measure:`` asked for (``neurons``, ``pruning``, ``logits``, ...).
    """

    def __init__(self, folder: str | Path) -> None:
        """Raises Refusal where the folder holds no results."""
        self.folder = Path(folder)
        self._folder = Folder(self.folder)
        head = self._folder.head()
        self.name: str = head.name
        self.axes: list[str] = head.axes
        self._crossed = head.crossed
        self.sweep: dict[str, Any] = head.sweep
        self._tables = Tables(self.folder)

    @property
    def tables(self) -> list[str]:
        """Names of all tables."""
        return ["cells", "boundaries", *self._tables]

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row a cell, with means over seeds and labels. Nothing is written."""
        return self._folder.label()

    @cached_property
    def boundaries(self) -> pd.DataFrame:
        """The lines between phases, see :func:`phasegrok.analysis.boundaries.boundaries`."""
        return self._folder.boundaries()

    def __getattr__(self, name: str) -> pd.DataFrame:
        """A table of the folder."""
        if not name.startswith("_") and name in self._tables:
            return self._tables[name]
        known = ", ".join(self.tables) if "_tables" in self.__dict__ else "none"
        raise AttributeError(f"{name}: no such table; there are {known}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._tables})

    def at(self, table: str = "runs", **values: Any) -> pd.DataFrame:
        """The rows of a table at some values of swept columns: ``at("cells", weight_decay=5)``.

        Raises:
            Refusal: no such table, column or value; the line says which there are.
        """
        if table not in self.tables:
            raise Refusal(f"{table}: found no such table; allowed: {', '.join(self.tables)}")
        frame: pd.DataFrame = getattr(self, table)
        return self._rows(table, frame, values)

    def curve(self, **values: Any) -> pd.DataFrame:
        """The training curve of one cell: means over its seeds, by step.

        Args:
            values: of every swept column that has several.

        Raises:
            Refusal: there are no curves, or these are the values of several cells, or of none.
        """
        if "curves" not in self._tables:
            raise Refusal(f"{self.folder}: holds no curves")
        cell = self._one(values)
        rows = rows_at(self.curves, {name: cell[name] for name in self.axes})
        numbers = rows.drop(columns=["run", "seed", *self.axes])
        return numbers.groupby("step").mean()

    def boundary(
        self, along: str | None = None, label: str = "subphase", **values: Any
    ) -> pd.DataFrame:
        """Where networks begin to generalize, along an axis of the diagram.

        Args:
            along: the axis; by default the one that the diagram has from left to right.
            label: by which phases are told apart.
            values: of columns that tell slices apart: ``weight_decay=5``.

        Returns:
            The rows of ``boundaries`` for that line, with their position and how well it is known:
            one for every place where generalization begins (``above`` is "generalizes") or ends,
            and one without a position for every value at which it does neither.
        """
        lines = self.boundaries if label == "subphase" else self._folder.boundaries(label)
        axes = list(dict.fromkeys(lines["along"]))
        along = along or next(iter(axes), "any axis")
        if along not in axes:
            known = ", ".join(axes) or "none"
            raise Refusal(f"along {along}: found no boundary along it; allowed: {known}")
        chosen = of_generalization(lines[lines["along"].eq(along)])
        return self._rows("boundaries", chosen, values)

    def weights(self, run: str, step: int | None = None) -> dict[str, np.ndarray]:
        """A saved network: float32 arrays by name.

        Args:
            run: id of the run.
            step: at which it was saved; by default the last.

        Raises:
            Refusal: it was not saved (``measure: {weights: final}`` saves them), or is damaged.
        """
        return self._folder.load_weights(run, self._step(run, step))

    def apply(self, run: str, inputs: Any, step: int | None = None) -> np.ndarray:
        """What a saved network answers.

        Args:
            run, step: as in :meth:`weights`.
            inputs: (rows, ...) as :meth:`examples` gives them: tokens, signs, numbers of images.

        Returns:
            (rows, outputs) float32, without dropout.
        """
        import jax
        import jax.numpy as jnp

        from phasegrok import models, tasks
        from phasegrok.models.frozen import mixture

        network = mixture.read(str(self._folder.weights_path(run, self._step(run, step))))
        task = tasks.of(network.record.experiment)
        rows = jnp.asarray(np.atleast_2d(np.asarray(inputs)))
        batch = models.Pass(task.look_up(rows), jnp.arange(len(rows)))
        with jax.default_matmul_precision("highest"):
            outputs, _ = network.model.apply(network.params, network.model_state, batch)
        return np.asarray(outputs)

    def examples(self, run: str) -> pd.DataFrame:
        """The examples of a run: which it trained on, and with which labels.

        Returns:
            One row an example, in the seed's order: its inputs, ``label`` (the true one),
            ``shown_label``, and ``subset``: ``corrupted``, ``training``, ``test``, or ``unused``
            (of the pool of a task with a test set of its own).
        """
        from phasegrok import tasks
        from phasegrok.results.examples import examples

        row = self._run(run)
        counts = (int(row[name]) for name in ("seed", "n_train", "n_corrupted"))
        return examples(tasks.of(self._experiment(run)), *counts)

    def to_xarray(self) -> Any:
        """The cells as an ``xarray.Dataset``, with the swept columns as named dimensions (of
        axes that move together the first).

        Raises:
            ImportError: xarray is not installed.
        """
        table = self.cells.set_index(self._crossed) if self.axes else self.cells
        return table.to_xarray()

    def plot(self, name: str = "phase_diagram", label: str | None = None) -> Figure:
        """A picture of this folder as a Matplotlib figure; nothing is written.

        Args:
            name: of the picture, as its file is called.
            label: ``subphase`` or ``direct_phase``, which cells are coloured by; by default what
                the files show.

        Raises:
            Refusal: there is no such picture or label, or its tables are not there.
        """
        from phasegrok.figures import pictures

        context = read_context(self.folder, write=False, label=label)
        there = {each.name: each for each in pictures() if each.applies(context)}
        if name not in there:
            raise Refusal(f"{name}: found no such picture here; allowed: {', '.join(there)}")
        return there[name].draw(context)

    def explore(self, path: str | Path | None = None) -> Path:
        """Write everything here as one HTML file to look around in, and give its path.

        Args:
            path: of the file; by default ``explore.html`` in the folder.

        Raises:
            Refusal: no run is done yet.
        """
        from phasegrok.explore import explore

        return explore([self.folder], path).path

    def __repr__(self) -> str:
        done = len(self.runs) if "runs" in self._tables else 0
        axes = " x ".join(self.axes) or "one cell"
        return f"<phasegrok results {self.name}: {done} runs over {axes}, {self.folder}>"

    def _repr_html_(self) -> str:
        """The small diagram, for a notebook."""
        text = f"<code>{html.escape(repr(self))}</code>"
        if self.cells.empty:
            return text
        image = io.BytesIO()
        self.plot().savefig(image, format="png", dpi=72)
        data = base64.b64encode(image.getvalue()).decode()
        return f'{text}<br><img src="data:image/png;base64,{data}" alt="phase diagram">'

    def _value(self, name: str, value: Any) -> Any:
        """A swept value as the tables hold it."""
        if name not in self.cells:
            known = ", ".join(self.axes) or "none"
            raise Refusal(f"{name}: found no such column; allowed: the swept ones ({known})")
        there = self.cells[name].drop_duplicates()
        if pd.api.types.is_float_dtype(there) and isinstance(value, int | float):
            near = there[np.isclose(there, float(value), rtol=CLOSE, atol=CLOSE)]
        else:
            near = there[there == value]
        if near.empty:
            known = ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in there)
            raise Refusal(f"{name}={value}: found no such value; allowed: {known}")
        return near.iloc[0]

    def _rows(self, table: str, frame: pd.DataFrame, values: Mapping[str, Any]) -> pd.DataFrame:
        """The rows of a table at some values. A swept column that it is without is refused:
        boundaries have it in ``at``."""
        for name in values:
            if name in self.axes and name not in frame:
                known = ", ".join(each for each in self.axes if each in frame) or "none"
                raise Refusal(
                    f"{name}: found no such column in {table}, which has its values in `at` and"
                    f" `position`; allowed: {known}"
                )
        return rows_at(frame, {name: self._value(name, value) for name, value in values.items()})

    def _one(self, values: Mapping[str, Any]) -> pd.Series[Any]:
        """The one cell at some values."""
        cells = self._rows("cells", self.cells, values)
        if len(cells) != 1:
            open_ = [n for n in self.axes if n not in values and cells[n].nunique() > 1]
            raise Refusal(f"found {len(cells)} cells; allowed: one (give {', '.join(open_)})")
        return cells.iloc[0]

    def _run(self, run: str) -> pd.Series[Any]:
        runs = self.runs
        found = runs[runs["run"] == run]
        if found.empty:
            raise Refusal(f"{run}: found no such run; allowed: an id of the table runs")
        return found.iloc[0]

    @cached_property
    def _planned(self) -> RunTable:
        """The sweep's runs and the experiments that they are of."""
        from phasegrok.plan.runs import expand
        from phasegrok.sweep.load import load as load_sweep

        check_loaded(self._folder.head().plugins, str(self.folder))
        return expand(load_sweep(self.folder / "sweep.yaml"))

    def _experiment(self, run: str) -> Experiment:
        """The experiment of a run, its traced values apart."""
        (places,) = np.nonzero(self._planned.frame["run"].to_numpy() == run)
        return self._planned.experiment_of(int(places[0]))

    def _step(self, run: str, step: int | None) -> int:
        """A step at which a network of the run is saved, by default the last."""
        saved = self._folder.saved_steps(run)
        if not saved or step not in (None, *saved):
            self._run(run)
            home = self._folder.weights_path(run, 0).parent
            known = ", ".join(map(str, saved)) or "none; measure: {weights: final} saves them"
            at = "" if step is None else f"step {step}: "
            raise Refusal(f"{home}: {at}found no such network; allowed: {known}")
        return saved[-1] if step is None else step


def load(folder: str | Path) -> Results:
    """The results in a folder that a sweep wrote, finished or not.

    Raises:
        Refusal: it holds none.
    """
    return Results(folder)
