"""More runs for a folder, and runs from other folders: what is there is never trained again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from phasegrok import running
from phasegrok.errors import Locked, Refusal
from phasegrok.results.folder import Folder
from phasegrok.running import loop
from phasegrok.sweep.load import load
from tests.conftest import MakeSweep
from tests.running.watching import Watch, start, trained

SMALL = """
axes: {optimizer.learning_rate: [0.01, 0.02], optimizer.weight_decay: [0, 1]}
engine: {chunk: 2, checkpoint_every: 1.0e-9}
measure: {spectra: true}
"""
LARGE = SMALL.replace("[0, 1]", "[0, 1, 2]").replace("\nengine", "\nseeds: [0, 1]\nengine")
TABLES = ("runs", "curves", "neurons")


def table(out: Path, name: str) -> pd.DataFrame:
    """A table in an order that is the same whichever parts it is in."""
    found = Folder(out).read(name)
    keys = [k for k in ("run", "step", "layer", "neuron") if k in found]
    return found.sort_values(keys, kind="stable", ignore_index=True)


def assert_alike(one: Path, other: Path) -> None:
    """The same tables, up to the rounding of other chunks."""
    for name in TABLES:
        a, b = table(one, name), table(other, name)
        assert list(a.columns) == list(b.columns)
        pd.testing.assert_frame_equal(a, b, rtol=1e-3, atol=1e-4)
    cells = [Folder(out).cells() for out in (one, other)]
    keys = list(cells[0].columns[:2])
    a, b = (each.sort_values(keys, ignore_index=True) for each in cells)
    pd.testing.assert_frame_equal(a, b, rtol=1e-3, atol=1e-4)


def parts(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.glob("*/*.parquet"))}


def failing(function: Callable[..., None], after: int) -> Callable[..., None]:
    """The function, until it is called once more than ``after`` times."""
    calls = iter(range(100))

    def call(*args: object, **kwargs: object) -> None:
        if next(calls) == after:
            raise KeyboardInterrupt
        function(*args, **kwargs)

    return call


def wrote_manifest_only(folder: Folder, name: str, text: str) -> None:
    """The manifest is written in its own way, and then comes something else."""
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The larger sweep, trained at once."""
    return trained(tmp_path_factory.mktemp("large"), LARGE)


def test_an_extension_trains_what_is_new(
    make_sweep: MakeSweep, tmp_path: Path, large: Path
) -> None:
    """More seeds and more values: 4 runs stay as they are, 8 are trained, the tables are those of
    the whole sweep; and the same file again trains nothing."""
    out = tmp_path / "out"
    start(make_sweep(SMALL), out)
    before = parts(out)
    more = make_sweep(LARGE)
    watch = start(more, out, extend=True)
    assert (watch.trained, watch.skipped) == (8, 4)
    assert before.items() <= parts(out).items()
    assert_alike(out, large)
    for extend in (True, False):
        assert start(more, out, extend=extend).trained == 0


def test_a_half_finished_folder_is_extended_and_interrupted(
    make_sweep: MakeSweep, tmp_path: Path, large: Path
) -> None:
    """Its own chunks go on from their checkpoints, before and after the extension."""
    out = tmp_path / "out"
    start(make_sweep(SMALL), out, calls=1)
    more = make_sweep(LARGE)
    start(more, out, calls=1, extend=True)
    start(more, out, calls=1)
    start(more, out)
    assert_alike(out, large)


def test_a_new_axis_at_the_old_value(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """Parts get the column of an axis that they did not have; the numbers stay."""
    out, whole = tmp_path / "out", tmp_path / "whole"
    start(make_sweep(SMALL), out)
    wider = make_sweep(SMALL.replace("axes: {", "axes: {model.width: [12, 16], "))
    assert start(wider, out, extend=True).trained == 4
    start(wider, whole)
    assert_alike(out, whole)
    assert set(Folder(out).read("curves")["width"]) == {12.0, 16.0}


def test_an_interrupted_adaption_goes_on(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever parts have the new column, the old sweep can be read, and the new one made."""
    from phasegrok.running import adopt

    out, whole = tmp_path / "out", tmp_path / "whole"
    start(make_sweep(SMALL), out)
    old = Folder(out).cells()
    wider = make_sweep(SMALL.replace("axes: {", "axes: {model.width: [12, 16], "))
    start(wider, whole)
    write = adopt.write_part
    for after in range(3):
        patched = failing(write, after)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(adopt, "write_part", patched)
            start(wider, out, extend=True)
        pd.testing.assert_frame_equal(Folder(out).label()[old.columns], old)
    start(wider, out, extend=True)
    assert_alike(out, whole)


def test_runs_are_taken_from_other_folders(
    make_sweep: MakeSweep, tmp_path: Path, large: Path
) -> None:
    """Runs with the same id are not trained: their rows, with other axes, are taken."""
    coarse, seeded, out = (tmp_path / name for name in ("coarse", "seeded", "out"))
    start(make_sweep(SMALL), coarse)
    other = make_sweep(
        SMALL.replace(
            "axes: {optimizer.learning_rate: [0.01, 0.02], ", "data: {data_fraction: 0.3}\naxes: {"
        )
    )
    start(other, seeded)  # another data fraction: none of ours
    with pytest.raises(Refusal, match=r"seeded: holds none of this sweep's runs"):
        start(make_sweep(LARGE), out, reuse=[seeded])
    assert not out.exists()
    watch = start(make_sweep(LARGE), out, reuse=[coarse])
    assert (watch.trained, watch.skipped) == (8, 4)
    assert_alike(out, large)
    assert start(make_sweep(LARGE), out).trained == 0


def test_taking_is_interrupted_and_goes_on(
    make_sweep: MakeSweep, tmp_path: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash before a part is published: the manifest says where its rows are."""
    coarse, out = tmp_path / "coarse", tmp_path / "out"
    start(make_sweep(SMALL), coarse)

    def crash(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop, "take", crash)
        start(make_sweep(LARGE), out, reuse=[coarse])
    assert start(make_sweep(LARGE), out).trained == 8
    assert_alike(out, large)


def test_rows_of_an_earlier_version_get_their_columns(
    make_sweep: MakeSweep, tmp_path: Path, large: Path
) -> None:
    """Settled accuracies from the curves; a measurement that there was not yet is null there."""
    coarse, out = tmp_path / "coarse", tmp_path / "out"
    start(make_sweep(SMALL), coarse)
    lacking = ["settled_train_accuracy", "settled_test_accuracy", "constant_neurons"]
    for path in [*coarse.glob("runs/*.parquet"), *coarse.glob("curves/*.parquet")]:
        rows = pq.read_table(path)
        rows = rows.drop_columns([name for name in lacking if name in rows.column_names])
        pq.write_table(rows, path)
    start(make_sweep(LARGE), out, reuse=[coarse])
    runs, whole = table(out, "runs"), table(large, "runs")
    assert set(runs.columns) == set(whole.columns)
    for name in lacking[:2]:
        assert runs[name].to_numpy() == pytest.approx(whole[name].to_numpy(), abs=1e-4)
    assert runs["constant_neurons"].isna().sum() == 4


def test_a_crash_between_manifest_and_sweep_file_is_mended(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the beginning and at an extension: the copy of the sweep is that of the manifest."""
    out = tmp_path / "out"

    for text, extend in ((SMALL, False), (LARGE, True)):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Folder, "write_text", wrote_manifest_only)
            start(make_sweep(text), out, extend=extend)
        start(make_sweep(text), out)
        assert load(out / "sweep.yaml") == make_sweep(text)


def test_saved_networks_are_taken_too(make_sweep: MakeSweep, tmp_path: Path) -> None:
    weights = SMALL.replace("{spectra: true}", "{weights: final}")
    coarse, out = tmp_path / "coarse", tmp_path / "out"
    start(make_sweep(weights), coarse)
    start(make_sweep(weights.replace("[0, 1]", "[0, 1, 2]")), out, reuse=[coarse])
    names = [f.relative_to(coarse) for f in coarse.glob("weights/*/*") if f.is_file()]
    assert len(names) == 8  # a network and its record for each of four runs
    assert all((out / name).read_bytes() == (coarse / name).read_bytes() for name in names)
    assert len(list(out.glob("weights/*"))) == 6


def test_what_cannot_be_extended(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """One line that says what differs; nothing is written."""
    out = tmp_path / "out"
    start(make_sweep(SMALL), out)
    before = parts(out)
    for more, changes, words in (
        (SMALL.replace("[0, 1]", "[1, 2]"), [], r"--extend: 2 of the 4 runs that it holds are not"),
        (SMALL.replace("spectra: true", "spectra: false"), [], r"measure.spectra: True -> absent"),
        (SMALL.replace("chunk: 2", "chunk: 2, precision: tf32"), [], r"engine.precision: float32"),
        (SMALL, ["train.steps=80"], r"train.steps: 40 -> 80; more steps go on"),
    ):
        with pytest.raises(Refusal, match=words):
            start(make_sweep(more, *changes), out, extend=True)
    with pytest.raises(Refusal, match="--extend, where it has all of their runs"):
        start(make_sweep(LARGE), out)
    assert parts(out) == before


def test_folders_that_cannot_be_reused(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """Not there, damaged, shortened, in use, or itself: one line, and nothing is written."""
    coarse, out, sweep = tmp_path / "coarse", tmp_path / "out", make_sweep(LARGE)
    with pytest.raises(Refusal, match="nothing: no results here"):
        start(sweep, out, reuse=[tmp_path / "nothing"])
    start(make_sweep(SMALL), coarse)
    with pytest.raises(Refusal, match="is the folder of this sweep"):
        start(sweep, out, reuse=[out])
    with Folder(coarse).lock("somebody"), pytest.raises(Locked, match="in use by somebody"):
        start(sweep, out, reuse=[coarse])
    part = next(iter((coarse / "neurons").glob("*.parquet")))
    content = part.read_bytes()
    part.unlink()
    with pytest.raises(Refusal, match=rf"{part.name} is not there"):
        start(sweep, out, reuse=[coarse])
    part.write_bytes(content)
    (coarse / "manifest.json").write_text("{}")
    with pytest.raises(Refusal, match=r"manifest.json"):
        start(sweep, out, reuse=[coarse])
    assert not out.exists()


def test_the_plan_says_what_is_taken(make_sweep: MakeSweep, tmp_path: Path) -> None:
    from phasegrok.cli.text import plan_text

    coarse, out = tmp_path / "coarse", tmp_path / "out"
    start(make_sweep(SMALL), coarse)
    prepared = running.prepare(make_sweep(LARGE), out, False, reuse=[coarse])
    assert f"4 of 12 runs taken from {coarse}" in plan_text(prepared)
    prepared = running.prepare(make_sweep(LARGE), coarse, False, extend=True)
    assert f"extends {coarse}: 4 of 12 runs are done (2 of 6 chunks)" in plan_text(prepared)
    prepared = running.prepare(make_sweep(SMALL), coarse, False)
    first, *more = plan_text(prepared, running.estimated_time(prepared)).splitlines()
    assert first.startswith("tiny: 4 runs = ")
    assert more == [f"resumes {coarse}: 4 of 4 runs are done", "nothing is left to train"]


def test_damaged_rows_of_another_folder_are_taken_again(
    make_sweep: MakeSweep, tmp_path: Path, large: Path
) -> None:
    """As long as that folder is there; then they are trained."""
    coarse, out = tmp_path / "coarse", tmp_path / "out"
    start(make_sweep(SMALL), coarse)
    start(make_sweep(LARGE), out, reuse=[coarse])
    for gone, count in ((False, 0), (True, 2)):
        if gone:
            coarse.rename(tmp_path / "elsewhere")
        part = sorted(out.glob("curves/taken-*.parquet"))[0]
        part.write_bytes(part.read_bytes()[:-1])
        notes: list[str] = []
        watch = Watch()
        running.run(running.prepare(make_sweep(LARGE), out, False, notes.append), watch)
        assert watch.trained == count and str(part) in notes[0]
        assert_alike(out, large)
    assert start(make_sweep(LARGE), out).trained == 0
