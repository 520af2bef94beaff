"""Variants from the file to runs, identities, tables and figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from phasegrok import running as runner
from phasegrok.cli.diagram import folder_diagram
from phasegrok.cli.text import plan_text
from phasegrok.config.identity import identity
from phasegrok.errors import Refusal
from phasegrok.figures import canvas, draw
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import plan
from phasegrok.plan.runs import expand
from phasegrok.results.folder import Folder
from phasegrok.sweep.load import dump, load
from tests.sweep.conftest import BASE, FOUR, Write

MACHINE = Machine("cpu", 2, 1 << 34, 1 << 30, 1e11, 2.0)
AXES = "axes: {data.data_fraction: [0.4, 0.6], model.init_scale: [1, 2]}\nseeds: [0, 3]\n"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("train.batch_size: 30", "batch_size: found 30, more than the 24 rows"),
        ("data.data_fraction: 0.001", "the smallest fraction leaves a training set of no rows"),
        ("task.source: nowhere, task.kind: images", "task.source: nowhere"),
        ("event.value: 0.9, event.kind: memorized, event.set: data.data_fraction", "found 0.9"),
    ],
)
def test_planning_names_where_the_variant_stands(setting: str, words: str, write: Write) -> None:
    """Some mistakes show only in the sizes of the runs or in their data. The refusal names the
    variant's setting."""
    sweep = load(write(f"{BASE}  a: {{}}\n  b: {{{setting}}}\n"))
    with pytest.raises(Refusal, match=words) as caught:
        plan(sweep, MACHINE)
    assert str(caught.value).startswith(f"s.yaml:8:{9 + setting.index(':')}:"), caught.value


def test_runs_are_variants_times_axes_times_seeds(write: Write) -> None:
    """Every combination comes once, with the variant outermost. There are columns for all traced
    numbers and for static fields in which variants differ. They are null where a kind has no such
    field."""
    table = expand(load(write(BASE + FOUR + AXES)))
    runs, experiments, static = table.frame, table.experiments, table.static
    assert len(runs) == 4 * 2 * 2 * 2 and list(runs.columns[:4]) == [
        "run",
        "variant",
        "data_fraction",
        "init_scale",
    ]
    assert runs["variant"].unique().tolist() == ["adam", "decay", "sgd", "encoder"]
    assert not runs.duplicated(["variant", "data_fraction", "init_scale", "seed"]).any()
    assert runs["run"].is_unique
    one = runs.groupby("variant", sort=False).first()
    assert one["weight_decay"].tolist() == [0, 0.5, 0, 0]
    assert one["momentum"].isna().tolist() == [True, True, False, True]
    assert one["beta1"].isna().tolist() == [False, False, True, False]
    assert one["model"].tolist() == ["mlp", "mlp", "mlp", "transformer"]
    assert one["optimizer"].tolist() == ["adamw", "adamw", "sgd", "adamw"]
    assert one["width"].tolist()[:3] == [12] * 3 and np.isnan(one["width"].iloc[3])
    assert one["heads"].isna().tolist() == [True, True, True, False]
    assert one["bias"].isna().tolist() == [False, False, False, True]
    assert one["bias"].dtype == "boolean" and one["bias"].tolist()[:3] == [False] * 3
    assert "steps" not in runs and "loss" not in runs, "in which they do not differ"
    # adam and decay are one program: they differ in a traced number alone.
    assert len(experiments) == 3
    assert static[runs["variant"].isin(["adam", "decay"])].tolist() == [0] * 16


def test_variants_that_differ_in_traced_values_share_programs(write: Write) -> None:
    """So do the runs of an axis over the same values, and they have the same ids and cells."""
    both = load(write(BASE + "  a: {}\n  b: {optimizer.weight_decay: 2}\n" + AXES))
    swept = load(
        write(BASE.removesuffix("variants:\n") + AXES), ["axes.optimizer.weight_decay=[0, 2]"]
    )
    grids = [plan(sweep, MACHINE) for sweep in (both, swept)]
    programs = [{job.program for job in grid.jobs} for grid in grids]
    assert programs[0] == programs[1]
    assert grids[0].axes == ["variant", "data_fraction", "init_scale"]
    assert sorted(grids[0].runs["run"]) == sorted(grids[1].runs["run"])
    job = grids[0].jobs[0]
    decay = grids[0].run_params(job.runs).values["optimizer.weight_decay"]
    assert set(decay) == {0, 2}


def test_a_run_has_the_same_id_without_variants(write: Write) -> None:
    """An id identifies the training. Variants and their names are not part of it."""
    runs = expand(load(write(BASE + FOUR))).frame
    plain = BASE.removesuffix("variants:\n")
    for name, sets in {
        "adam": [],
        "decay": ["optimizer.weight_decay=0.5"],
        "sgd": ["optimizer.kind=sgd", "optimizer.momentum=0.5"],
        "encoder": [
            "model.kind=transformer",
            "model.heads=2",
            "model.embedding=8",
            "model.feed_forward=8",
        ],
    }.items():
        alone = expand(load(write(plain), sets)).frame["run"].tolist()
        assert alone == runs.loc[runs["variant"] == name, "run"].tolist(), name


def test_identity_is_of_what_variants_are(write: Write) -> None:
    """The identity changes with a variant's name, its values and its base, not with how they are
    written. Without variants it has no trace of them."""

    def identified(text: str, *sets: str) -> str:
        return json.dumps(identity(load(write(text), sets).resolved()), sort_keys=True)

    one = identified(BASE + "  a: {}\n  b: {model.kind: transformer}\n")
    assert one == identified(
        BASE + "  a: {loss: mse}\n  b: {model.layers: 1, model.kind: transformer}\n"
    )
    others = [
        identified(BASE + "  a: {}\n  c: {model.kind: transformer}\n"),
        identified(BASE + "  a: {}\n  b: {model.kind: transformer, model.layers: 2}\n"),
        identified(BASE + "  a: {}\n  b: {model.kind: transformer, model.activation: quadratic}\n"),
        identified(BASE + "  a: {}\n  b: {model.kind: transformer}\n", "model.width=8"),
        identified(BASE + "  a: {}\n"),
        identified(BASE.removesuffix("variants:\n")),
    ]
    assert len({one, *others}) == 7
    # The Transformer inherits the base's explicit values of keys that both kinds have.
    assert one != identified(
        BASE.replace("width: 12", "width: 12, activation: quadratic")
        + "  a: {}\n  b: {model.kind: transformer}\n"
    )
    assert "variants" not in identity(load(write(BASE.removesuffix("variants:\n"))).resolved())


E2E = (
    BASE
    + """\
  plain: {}
  deep: {model.depth: 3, optimizer.kind: sgd}
  decay: {optimizer.weight_decay: 0.5}
seeds: [0, 1]
"""
)


class Silent:
    """A reporter that only counts the runs trained."""

    trained = 0

    def note(self, line: str) -> None: ...

    def compiling(self, number: int, of: int) -> None: ...

    def compiled(self) -> None: ...

    def delivered(self, workers: int, chunks: int) -> None: ...

    def skip(self, work: float, runs: int) -> None: ...

    def advanced(self, work: float, runs: int) -> None:
        self.trained += runs


def test_from_the_file_to_tables_and_figures(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three variants make two programs.

    Every table names the variant, and all parts of a table have one schema. Every variant has cells
    of its own. Run again from its own sweep.yaml, the sweep trains nothing. The same trainings
    under an axis have the same ids and bit-identical curves. Figures are drawn.
    """
    sweep = load(write(E2E))
    out = Path("out")
    prepared = runner.prepare(sweep, out, fresh=False)
    assert "6 runs = 3 variants x 2 seeds\n2 programs" in plan_text(prepared)
    assert "plain, decay\n" in plan_text(prepared, runner.Estimate(1.0, 0.0, ""))
    first, again = Silent(), Silent()
    runner.run(prepared, first)
    assert first.trained == 6
    folder = Folder(out)
    head = folder.head()
    assert head.axes == ["variant"]
    assert head.sweep["variants"]["decay"] == {"optimizer.weight_decay": 0.5}
    runs, cells = folder.read("runs"), folder.cells()
    assert (runs["status"] == "ok").all()
    one = runs.groupby("variant").first()
    assert one["weight_decay"].to_dict() == {"plain": 0, "decay": 0.5, "deep": 0}
    assert one["depth"].to_dict() == {"plain": 2, "decay": 2, "deep": 3}
    for column, there in {
        "beta1": [True, False, True],
        "norm_hidden": [False, True, False],
    }.items():
        assert one[column].notna().tolist() == there, column
    assert sorted(cells["variant"]) == ["decay", "deep", "plain"]
    assert (cells["seeds"] == 2).all()
    for name in ("runs", "curves"):
        parts = [pq.read_schema(part) for part in sorted((out / name).iterdir())]
        assert len(parts) == 2 and parts[0].equals(parts[1]), name
        assert parts[0].names[:2] == ["run", "variant"], name

    resumed = runner.prepare(load(write(dump(sweep))), out, fresh=False, note=pytest.fail)
    runner.run(resumed, again)
    assert resumed.resumes and again.trained == 0
    with pytest.raises(Refusal, match=r"variants\.decay\.optimizer\.weight_decay: 0\.5 -> 0\.7"):
        runner.prepare(load(write(E2E.replace("0.5", "0.7"))), out, fresh=False)

    write(BASE.removesuffix("variants:\n") + "seeds: [0, 1]\n")
    swept = load(Path("s.yaml"), ["axes.optimizer.weight_decay=[0, 0.5]"])
    runner.run(runner.prepare(swept, Path("axis"), fresh=False), Silent())
    keys = ["run", "step", "train_loss", "test_accuracy", "weight_norm"]
    mine = folder.read("curves").query("variant != 'deep'")[keys]
    same = Folder(Path("axis")).read("curves")[keys]
    pd.testing.assert_frame_equal(mine.reset_index(drop=True), same, check_exact=True)

    # Rendering takes seconds.
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    drawn = {path.stem for path in draw(out)}
    assert drawn == {"phase_diagram", "accuracy", "curves", "norms", "losses"}
    lines = folder_diagram(folder, cells).splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["plain", "deep", "decay"]
    assert "up: variant" in lines[-2]
