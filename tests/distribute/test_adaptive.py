"""A Dask cluster that adapts: it has no worker before there is work, and none after it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.distribute.children import SWEEP, ended, same, start, until

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")


@pytest.mark.filterwarnings("ignore")  # of Dask's own, about what it closes
def test_workers_come_with_the_work_and_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep is planned for the first worker that comes. Its tables are one process's."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))  # processes of Dask take it over
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "2")
    monkeypatch.setenv("NULL_TRAINER_SECONDS", "0.05")
    (tmp_path / "sweep.yaml").write_text(SWEEP.replace("[0.3, 0.5, 0.7, 0.9]", "[0.5]"))
    asked = ("sweep", tmp_path / "sweep.yaml", "--output")
    one = start(*asked, tmp_path / "one", log=tmp_path / "one.log")
    preload = {"distributed.worker.preload": ["tests.distribute.null_worker"]}
    with (
        dask.config.set(preload),
        distributed.LocalCluster(
            n_workers=0, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
    ):
        cluster.adapt(minimum=0, maximum=2, interval="200 ms", wait_count=2)
        workers = cluster.scheduler.workers
        assert not workers
        there = ("--scheduler", cluster.scheduler_address)
        mine = start(*asked, tmp_path / "out", *there, log=tmp_path / "log")
        until(lambda: workers, 30)
        assert ended(mine) == 0, (tmp_path / "log").read_text()
        until(lambda: not workers)
        time.sleep(0.1)
    assert ended(one) == 0, (tmp_path / "one.log").read_text()
    assert same(tmp_path / "out", tmp_path / "one")
