"""Chunks trained by the workers of a Dask cluster: the tables are one process's.

Training is null, and lasts as long as told: what is tested is who trains what, and what becomes of
it when processes go. ``benchmarks/distributed.py`` does the same with real training.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from phasegrok import running
from phasegrok.distribute import dask
from phasegrok.distribute.cluster import Cluster, on_cluster
from phasegrok.distribute.dask import Dask, environment, gpus, is_private
from phasegrok.errors import Refusal
from phasegrok.files.members import pieces
from phasegrok.plan import layout
from phasegrok.running import chunk
from phasegrok.sweep.load import Sweep, load
from tests.distribute.children import SWEEP, parts, published, same, until
from tests.distribute.null_worker import BROKEN, POISON, set_environment
from tests.running.null import SECONDS, null
from tests.running.watching import Watch

pytest.importorskip("distributed")
ROOT = Path(__file__).parents[2]
WEIGHTS = "measure: {weights: final}\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two worker processes. One that dies is begun again; one that is silent is given up soon."""
    import dask as settings

    given = {
        "distributed.worker.preload": ["tests.distribute.null_worker"],
        "distributed.scheduler.allowed-failures": 1,
    }
    with pytest.MonkeyPatch.context() as patch, settings.config.set(given):
        patch.syspath_prepend(str(ROOT))  # a process that is begun has its parent's path
        patch.setenv(SECONDS, "0")
        patch.setattr(dask, "TTL", "10s")
        with on_cluster(Dask(workers=2), True, False, lambda line: None) as made:
            yield made


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """Seven chunks of one program."""
    monkeypatch.setattr(chunk, "compiled", null)
    monkeypatch.setattr(layout, "CALL_SECONDS", 1e-9)  # a checkpoint after each interval
    return made(tmp_path, SWEEP.replace("[0.3, 0.5, 0.7, 0.9]", "[0.5]"))


def made(home: Path, text: str) -> Sweep:
    (home / "sweep.yaml").write_text(text)
    return load(home / "sweep.yaml")


def train(sweep: Sweep, out: Path, deliver: Cluster | None = None) -> Watch:
    watch = Watch()
    running.run(running.prepare(sweep, out, False, watch.note), watch, deliver=deliver)
    return watch


def tell(cluster: Cluster, patch: pytest.MonkeyPatch, **values: str) -> None:
    """Set variables of the workers, of those that are begun later too."""
    for name, value in values.items():
        patch.setenv(name, value)
    cluster.client.run(set_environment, values)


def holder_of(out: Path, chunk: str) -> int:
    return int(pieces(out).get(chunk, {}).get("pid", 0))


def test_workers_that_die_and_sleep_change_nothing(
    cluster: Cluster, sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is stopped until its chunk was given to the other, and goes on then; two are killed in
    training. Each writes nothing of what it lost, and every number is one process's."""
    train(sweep, tmp_path / "one")
    out, lost = tmp_path / "out", []
    tell(cluster, monkeypatch, **{SECONDS: "0.5"})

    def disturb() -> None:
        until(lambda: len(pieces(out)) == 2)
        asleep, other = sorted(pieces(out))
        slept, killed = holder_of(out, asleep), holder_of(out, other)
        os.kill(slept, signal.SIGSTOP)
        until(lambda: holder_of(out, asleep) not in (0, slept) or published(out, asleep))
        with suppress(ProcessLookupError):  # its nanny may have begun another one
            os.kill(slept, signal.SIGCONT)
        for _ in range(2):
            until(lambda: any(each["pid"] != slept for each in pieces(out).values()))
            killed = next(each["pid"] for each in pieces(out).values() if each["pid"] != slept)
            os.kill(killed, signal.SIGKILL)
            lost.append(killed)
            until(lambda killed=killed: killed not in [p["pid"] for p in pieces(out).values()])
        cluster.client.run(set_environment, {SECONDS: "0"})

    other = threading.Thread(target=disturb, daemon=True)
    other.start()
    watch = train(sweep, out, cluster)
    other.join(60)
    assert not other.is_alive() and len(lost) == 2
    assert watch.trained == 52 and same(out, tmp_path / "one")
    assert (2, 2) in watch.seen, "workers, and chunks in flight"


def test_without_shared_files_tables_and_networks_travel(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers do not see the folder, and none of them writes there."""
    monkeypatch.setattr(chunk, "compiled", null)
    sweep = made(tmp_path, SWEEP.replace("[0.3, 0.5, 0.7, 0.9]", "[0.5]") + WEIGHTS)
    train(sweep, tmp_path / "one")
    out = tmp_path / "out"
    monkeypatch.setattr(cluster, "shared_files", False)
    train(sweep, out, cluster)
    assert same(out, tmp_path / "one")
    ours = {path.relative_to(out): path.read_bytes() for path in out.glob("weights/*/*")}
    assert len(ours) == 2 * 52
    assert all((tmp_path / "one" / name).read_bytes() == ours[name] for name in ours)
    assert not (out / ".workers").exists() and len(list((out / "sessions").iterdir())) == 1


def test_a_chunk_that_ends_every_worker_is_named_and_skipped(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is one that none can train. The rest is trained, also what waited at a dead worker; and
    one process alone does the rest."""
    monkeypatch.setattr(chunk, "compiled", null)
    text = SWEEP.replace("[0.3, 0.5, 0.7, 0.9]", "[0.3, 0.6, 0.9]").replace("num: 26", "num: 8")
    sweep, out = made(tmp_path, text), tmp_path / "out"
    tell(cluster, monkeypatch, **{POISON: "001-00001", BROKEN: "002-00000"})
    with pytest.raises(Refusal) as refused:
        train(sweep, out, cluster)
    tell(cluster, monkeypatch, **{POISON: "", BROKEN: ""})
    said = str(refused.value)
    assert "16 runs are not trained" in said and "001-00001: every worker" in said
    assert "002-00000: ArithmeticError: no such number" in said
    assert len(pd.read_parquet(out / "runs")) == 48 - 16 and (out / "cells.parquet").exists()
    assert train(sweep, out).trained == 16
    train(sweep, tmp_path / "one")
    assert same(out, tmp_path / "one")


def test_another_kind_of_device_is_refused_or_noted(
    cluster: Cluster, sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phasegrok.distribute.cluster.kind_of", lambda manifest: "NVIDIA X")
    out = tmp_path / "out"
    with pytest.raises(Refusal, match=r"not on NVIDIA X.*--mixed"):
        train(sweep, out, cluster)
    cluster.unfit.clear()
    monkeypatch.setattr(cluster, "mixed", True)
    assert train(sweep, out, cluster).trained == 52
    from phasegrok.results.sessions import read_sessions

    assert sum(len(each.mixed) for each in read_sessions(out) if not each.share) == 7


def test_a_signal_lets_workers_save(
    cluster: Cluster, sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they train goes on from its checkpoint; what they have not begun is taken back."""
    from phasegrok.running import loop

    out, signals = tmp_path / "out", []
    session = loop.Session(signals=signals)
    monkeypatch.setattr(loop, "Session", lambda: session)
    # Many intervals, so that the signal comes inside a chunk.
    longer = SWEEP.replace("[0.3, 0.5, 0.7, 0.9]", "[0.5]").replace("steps: 40", "steps: 400")
    sweep = made(tmp_path, longer)
    tell(cluster, monkeypatch, **{SECONDS: "0.05"})

    def ask() -> None:
        until(lambda: parts(out) >= 1)
        time.sleep(0.5)  # both workers end their chunks at about the same time
        until(lambda: list(out.glob(".checkpoint-*")))
        signals.append(signal.SIGUSR1)

    threading.Thread(target=ask, daemon=True).start()
    with pytest.raises(running.Interrupted):
        train(sweep, out, cluster)
    done = len(pd.read_parquet(out / "runs"))
    assert 4 <= done < 52 and list(out.glob(".checkpoint-*"))
    time.sleep(0.5)
    assert len(pd.read_parquet(out / "runs")) == done, "nobody trains any more"
    monkeypatch.undo()
    monkeypatch.setattr(chunk, "compiled", null)
    assert train(sweep, out).trained == 52 - done
    train(sweep, tmp_path / "one")
    assert same(out, tmp_path / "one")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:1"}, "more than one"),
        ({"workers": 5000}, "at most"),
        ({"scheduler": "127.0.0.1"}, "tcp://HOST:PORT"),
        ({"scheduler": "tls://127.0.0.1:8786"}, "required: --tls-ca"),
        ({"scheduler_file": Path("/nowhere")}, "no such file"),
        ({"scheduler_file": ROOT / "README.md"}, "README.md: found no address of a scheduler"),
    ],
)
def test_bad_options_are_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        Dask(**asked).check()


def test_who_can_reach_a_scheduler() -> None:
    for address in ("tcp://127.0.0.1:8786", "tcp://[::1]:1", "tls://10.0.0.7:8786"):
        assert is_private(address)
    for address in ("tcp://10.0.0.7:8786", "tcp://node17:8786", "tcp://0.0.0.0:1", "ws://x:1"):
        assert not is_private(address)


def test_each_worker_has_a_gpu_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in its environment before it imports anything; without GPUs all have the same cores."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "jax_cuda12_plugin")
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl"):
        (tmp_path / name).touch()
    assert gpus({}, tmp_path) == ["0", "1", "10"]
    assert gpus({"CUDA_VISIBLE_DEVICES": "3,GPU-7"}, tmp_path) == ["3", "GPU-7"]
    assert gpus({"CUDA_VISIBLE_DEVICES": ""}, tmp_path) == []
    assert gpus({"JAX_PLATFORMS": "cpu"}, tmp_path) == []
    given = [environment(n, Dask(workers=2), ["0", "1"], 4) for n in (0, 1)]
    assert [each["CUDA_VISIBLE_DEVICES"] for each in given] == ["0", "1"]
    assert "XLA_PYTHON_CLIENT_PREALLOCATE" not in given[0]
    shared = environment(2, Dask(workers=3), ["0", "1"], 4)
    assert shared["CUDA_VISIBLE_DEVICES"] == "0"
    assert shared["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert environment(0, Dask(workers=2), [], 4)["JAX_NUM_CPU_DEVICES"] == "4"
