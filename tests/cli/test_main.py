"""The command: exit codes, resuming, killing, refusing; what trains, in processes of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from phasegrok.cli.main import app
from phasegrok.train import devices
from tests.conftest import CHEAP_COMPILATION
from tests.thorough import some

# Steps enough to be stopped among: calls end at the looks, so a chunk is six of them.
SWEEP = """\
name: tiny
task: {kind: modular, modulus: 7}
model: {width: 16}
train: {steps: 12000, log_every: 400}
axes:
  data.data_fraction: [0.3, 0.8]
  optimizer.weight_decay: [0, 1, 2, 3, 4, 5, 6]
measure: {spectra: true, pruning: [lowest], weights: final, steps: [0, 2000]}
engine: {checkpoint_every: 1.0e-9, chunk: 4}
"""
TABLES = ("runs", "curves", "cells.parquet", "neurons", "pruning")


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "phasegrok.sweep", *map(str, args)]


def phasegrok(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*args), capture_output=True, text=True, timeout=300)


def invoke(*args: object) -> Result:
    """The command in this process, which has imported everything: for what trains nothing. An
    exception that it lets out is raised here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "use_all_cores", lambda: None)  # conftest.py has set the devices
        return CliRunner().invoke(app, list(map(str, args)), catch_exceptions=False)


@pytest.fixture(scope="module", autouse=True)
def compiled_as_users_do() -> Iterator[None]:
    """They share compiled programs, as most of their time would go into that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "XLA_FLAGS", os.environ.get("XLA_FLAGS", "").replace(CHEAP_COMPILATION, "").strip()
        )
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep file beside the results of its uninterrupted run."""
    where = tmp_path_factory.mktemp("sweep")
    (where / "tiny.yaml").write_text(SWEEP)
    done = phasegrok(where / "tiny.yaml", "--output", where / "out")
    assert done.returncode == 0, done.stderr
    assert "14/14 runs done" in done.stdout
    return where


def frames(folder: Path) -> list[pd.DataFrame]:
    return [pd.read_parquet(folder / table) for table in TABLES]


def assert_same(a: Path, b: Path) -> None:
    for x, y in zip(frames(a), frames(b), strict=True):
        pd.testing.assert_frame_equal(x, y, check_exact=True)
    for file in a.glob("weights/*/run.json"):
        assert file.read_text() == (b / file.relative_to(a)).read_text()
    for file in a.glob("weights/*/*.npz"):
        with np.load(file) as x, np.load(b / file.relative_to(a)) as y:
            assert x.files == y.files == ["u", "v", "w"]
            assert all(np.array_equal(x[name], y[name]) for name in x.files)


def test_a_finished_sweep_has_everything(finished: Path) -> None:
    """Tables, resolved file, manifest, and both figures in two formats; nothing half-written."""
    out = finished / "out"
    runs, curves, cells, neurons, pruning = frames(out)
    assert len(runs) == len(cells) == 14 and len(curves) == 14 * 31
    assert len(neurons) == 14 * 3 * 16 and len(pruning) == 14 * 3 * 17
    assert set(runs["weight_decay"]) == set(range(7))
    names = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    figures = {f"figures/{f}.{s}" for f in ("phase_diagram", "accuracy") for s in ("png", "pdf")}
    assert figures | {"sweep.yaml", "manifest.json", "cells.parquet"} <= names
    weights = {f"weights/{run}/{step}.npz" for run in runs["run"] for step in (0, 2000, 12000)}
    assert {n for n in names if n.endswith((".tmp", ".npz"))} == weights


def test_the_same_sweep_again_trains_nothing(finished: Path) -> None:
    """Tables keep their very files; the resolved sweep.yaml is the same sweep as its source."""
    before = {p: p.stat().st_mtime_ns for p in finished.glob("out/runs/*")}
    done = phasegrok(finished / "out" / "sweep.yaml", "--output", finished / "out")
    assert done.returncode == 0, done.stderr
    assert {p: p.stat().st_mtime_ns for p in finished.glob("out/runs/*")} == before


@pytest.mark.parametrize("how", some([signal.SIGKILL, signal.SIGINT], 1))
def test_a_killed_sweep_resumes_to_identical_tables(
    finished: Path, tmp_path: Path, how: signal.Signals
) -> None:
    """Stopped inside a chunk, after a checkpoint; the resumed sweep's tables equal the
    uninterrupted one's bit for bit, and Ctrl-C exits with 130."""
    file, out = finished / "tiny.yaml", tmp_path / "out"
    asked = (file, "--output", out, "--no-figures")
    with subprocess.Popen(command(*asked), stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 100
        while not list(out.glob(".checkpoint-*.npz")) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(how)
    assert process.returncode == (130 if how == signal.SIGINT else -9)
    assert list(out.glob(".checkpoint-*.npz")), "stopped too late to prove anything"
    again = phasegrok(*asked)
    assert again.returncode == 0, again.stderr
    assert "resumes" in again.stdout
    assert f"not drawn; phasegrok figures {out} draws them" in again.stdout
    assert not (out / "figures").exists()
    assert_same(out, finished / "out")
    assert not list(out.glob(".checkpoint-*"))


def test_a_changed_sweep_is_refused_with_what_changed(finished: Path) -> None:
    """The line names the key with both values and what to do; nothing in the folder changes."""
    before = (finished / "out" / "manifest.json").read_bytes()
    refused = phasegrok(
        finished / "tiny.yaml", "--output", finished / "out", "--set", "model.width=8"
    )
    assert refused.returncode == 2
    assert "model.width: 16 -> 8" in refused.stderr and "--fresh" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert (finished / "out" / "manifest.json").read_bytes() == before


def test_fresh_moves_the_old_results_aside(finished: Path, tmp_path: Path) -> None:
    """--fresh with another learning rate: its results, and the old ones whole in out.old-1."""
    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    # Compiles nothing.
    change = ("--fresh", "--set", "optimizer.learning_rate=0.25", "--no-figures")
    done = phasegrok(finished / "tiny.yaml", "--output", out, *change)
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "out.old-1", finished / "out")
    old, new = frames(finished / "out")[0], frames(out)[0]
    assert len(new) == 14 and new["learning_rate"].eq(0.25).all()
    assert set(new["run"]).isdisjoint(old["run"])


def test_fresh_moves_neither_links_nor_the_working_directory(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, code 2, and everything stays where it is."""
    out, link = tmp_path / "out", tmp_path / "link"
    shutil.copytree(finished / "out" / "runs", out / "runs")
    link.symlink_to(out)
    monkeypatch.chdir(out / "runs")
    for output, words in (
        (link, f"allowed: the folder it points to, --output {out}"),
        (".", "found the working directory"),
        ("", "found the working directory"),
        ("..", "found the working directory"),
        (out, "found the working directory"),
    ):
        refused = invoke("sweep", finished / "tiny.yaml", "--output", output, "--fresh")
        assert refused.exit_code == 2 and words in refused.stderr, refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert link.is_symlink() and sorted(p.name for p in tmp_path.iterdir()) == ["link", "out"]


def test_two_processes_on_one_folder(finished: Path, tmp_path: Path) -> None:
    """The second leaves with code 3 and says who holds the folder."""
    import fcntl

    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    next((out / "runs").iterdir()).unlink()  # what is finished may be looked at by all
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("process 42 on elsewhere")
        lock.flush()
        refused = phasegrok(finished / "tiny.yaml", "--output", out)
    assert refused.returncode == 3
    assert "process 42 on elsewhere" in refused.stderr


def test_plan_trains_and_writes_nothing(finished: Path, tmp_path: Path) -> None:
    """--plan shows programs, chunks, waste, memory and an estimate."""
    done = invoke("sweep", finished / "tiny.yaml", "--output", tmp_path / "out", "--plan")
    assert done.exit_code == 0, done.stderr
    for words in ("14 runs", "program", "chunks", "padding waste", "MiB", "estimated time"):
        assert words in done.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (["optimizer.weight_decay=-1"], "weight_decay"),
        (["model.width=1000000000"], "does not fit"),
        (["data.data_fraction=[0.001]"], "no rows"),
    ],
)
def test_refusals_write_nothing(
    finished: Path, tmp_path: Path, sets: list[str], words: str
) -> None:
    """One line, code 2, no folder, for bad values and for sizes that only planning can judge."""
    args = [a for s in sets for a in ("--set", s)]
    refused = invoke("sweep", finished / "tiny.yaml", "--output", tmp_path / "out", *args)
    assert refused.exit_code == 2
    assert words in refused.stderr and "Traceback" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_foreign_and_impossible_folders_are_refused(finished: Path, tmp_path: Path) -> None:
    """A folder with the user's own files, a file in the way, and (unless we may write anywhere)
    a folder without permission: code 2, and the files stay."""
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.tex").write_text("x")
    targets = [mine, mine / "chapter.tex"]
    if os.geteuid() != 0:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
        targets.append(closed / "out")
    for target in targets:
        refused = invoke("sweep", finished / "tiny.yaml", "--output", target)
        assert refused.exit_code == 2 and "allowed" in refused.stderr, refused.stderr
    assert (mine / "chapter.tex").read_text() == "x"
    assert invoke("sweep", tmp_path / "none.yaml").exit_code == 2


def test_help_status_and_figures_do_not_import_jax(finished: Path) -> None:
    """What has to be instant must not load the compiler: the module list proves it."""
    code = (
        "import json, sys; from typer.testing import CliRunner\n"
        "from phasegrok.cli.main import app\n"
        "for args in json.loads(sys.argv[1]):\n"
        "    r = CliRunner().invoke(app, args); print(r.output)\n"
        "    assert r.exit_code == 0, r.output; assert 'jax' not in sys.modules, args\n"
    )
    folder = str(finished / "out")
    every = [["--help"], ["sweep", "--help"], ["status", folder], ["figures", folder]]
    run = [sys.executable, "-c", code, json.dumps(every)]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"14/14 runs", done.stdout)


def test_figures_command_redraws_from_tables(finished: Path, tmp_path: Path) -> None:
    """With the figures and cells gone, runs alone bring them back; elsewhere it refuses."""
    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    shutil.rmtree(out / "figures")
    (out / "cells.parquet").unlink()
    assert invoke("figures", out).exit_code == 0
    assert_same(out, finished / "out")
    assert (out / "figures" / "phase_diagram.png").stat().st_size > 1000
    again = invoke("figures", out, "--at", "optimizer.weight_decay=2")
    assert again.exit_code == 0
    assert "cells at weight_decay=2 are drawn one by one, next time too" in again.stdout
    (out / "figures" / "logits.png").write_bytes(b"of other tables")
    (out / "closeup.json").unlink()
    again = invoke("figures", out)
    assert "next time too" not in again.stdout
    assert f"removed {out / 'figures' / 'logits.png'}, which these tables" in again.stdout
    for where, message in (
        ([tmp_path], "no results here"),
        ([out, "--at", "nothing"], "--at nothing: missing `=`; required: AXIS=VALUE"),
        ([out, "--at", "event.value=2"], "--at event_value: found no such axis; allowed: "),
        ([out, "--at", "model.kind=mlp"], "--at model: found no such axis; allowed: "),
        ([out, "--at", "model.dept=2"], "--at dept: found no such axis; allowed: "),
    ):
        refused = invoke("figures", *where)
        assert refused.exit_code == 2 and message in refused.stderr, refused.stderr
    assert not (out / "closeup.json").exists()


@pytest.fixture
def saved_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of one byte, where a test is about something else: most of drawing is saving."""

    def save(figure: object, folder: Path, name: str) -> list[Path]:
        paths = [folder / f"{name}.{kind}" for kind in ("png", "pdf")]
        for path in paths:
            path.write_bytes(b"0")
        return paths

    monkeypatch.setattr("phasegrok.figures.canvas.save", save)


@pytest.mark.usefixtures("saved_at_once")
def test_cells_follow_the_runs_that_are_there(finished: Path, tmp_path: Path) -> None:
    """Drawn of one chunk, then of all: the cells are of the runs at that time, as they are after
    the same sweep again, which trains nothing. Status writes nothing, and without a finished run
    there is nothing to draw, in one line."""
    out, later = tmp_path / "out", tmp_path / "later"
    shutil.copytree(finished / "out", out)
    shutil.copytree(out / "runs", later)
    for part in sorted((out / "runs").iterdir())[1:]:
        part.unlink()
    assert invoke("figures", out).exit_code == 0
    few = (out / "cells.parquet").read_bytes()
    assert len(pd.read_parquet(out / "cells.parquet")) == 4
    shutil.copytree(later, out / "runs", dirs_exist_ok=True)
    assert "14/14 runs" in invoke("status", out).stdout
    assert (out / "cells.parquet").read_bytes() == few
    assert invoke("figures", out).exit_code == 0
    assert_same(out, finished / "out")
    (out / "cells.parquet").write_bytes(few)
    assert invoke("sweep", finished / "tiny.yaml", "--output", out).exit_code == 0
    assert_same(out, finished / "out")
    before = (out / "cells.parquet").stat().st_mtime_ns
    assert invoke("figures", out).exit_code == 0
    assert (out / "cells.parquet").stat().st_mtime_ns == before, "written though it was right"
    shutil.rmtree(out / "runs")
    (out / "cells.parquet").unlink()
    refused = invoke("figures", out)
    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"error: {out}: no finished runs yet; run the sweep first (")
    assert refused.stderr.count("\n") == 1 and f"phasegrok status {out}" in refused.stderr


def test_a_shortened_table_of_runs_keeps_its_cells(finished: Path, tmp_path: Path) -> None:
    """Where runs cannot be labelled any more, the cells beside them are drawn and stay."""
    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    for part in (out / "runs").iterdir():
        pd.read_parquet(part).drop(columns="peak_weight_norm").to_parquet(part)
    before = (out / "cells.parquet").read_bytes()
    for command in ("figures", "status"):
        assert invoke(command, out).exit_code == 0
    assert (out / "cells.parquet").read_bytes() == before
