"""A Dask cluster that is there already, encrypted: as docs/cluster.md has it, and when it goes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from phasegrok.stopping import DEADLINE
from tests.distribute.children import SWEEP, ended, parts, same, start, until

pytest.importorskip("distributed")
if shutil.which("openssl") is None:
    pytest.skip("no openssl, which makes the certificate", allow_module_level=True)
ROOT = Path(__file__).parents[2]
DASK = Path(sys.executable).with_name("dask")
NULL = ("--preload", "tests.distribute.null_worker")


@dataclass
class There:
    """A scheduler and its worker, and the options that reach them."""

    home: Path
    scheduler: subprocess.Popen[bytes]
    tls: list[str]

    @property
    def file(self) -> list[str]:
        return ["--scheduler-file", str(self.home / "scheduler.json")]

    @property
    def address(self) -> str:
        return (self.home / "scheduler.json").read_text()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    home = tmp_path_factory.mktemp("scheduler")
    (home / "sweep.yaml").write_text(SWEEP.replace("[0.3, 0.5, 0.7, 0.9]", "[0.5]"))
    subject = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=me -keyout key.pem -out cert.pem"
    subprocess.run(["openssl", *subject.split()], cwd=home, check=True, capture_output=True)
    cert, key = home / "cert.pem", home / "key.pem"
    theirs = ["--tls-ca-file", cert, "--tls-cert", cert, "--tls-key", key]
    ours = ["--tls-ca", str(cert), "--tls-cert", str(cert), "--tls-key", str(key)]
    address = ["--protocol", "tls", "--host", "127.0.0.1", "--port", "0"]
    file = ["--scheduler-file", home / "scheduler.json"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JAX_NUM_CPU_DEVICES": "2",
        "NULL_TRAINER_SECONDS": "0.2",
    }

    def begin(*arguments: object) -> subprocess.Popen[bytes]:
        with (home / "dask.log").open("ab") as log:
            return subprocess.Popen(
                [DASK, *map(str, arguments)], cwd=home, env=environment, stdout=log, stderr=log
            )

    scheduler = begin("scheduler", *address, *file, *theirs, "--no-dashboard")
    worker = begin("worker", *file, *theirs, "--nthreads", "1", "--no-dashboard", *NULL)
    try:
        yield There(home, scheduler, ours)
    finally:
        for process in (worker, scheduler):
            process.terminate()
            process.wait(30)


def test_a_sweep_is_trained_on_it(there: There, tmp_path: Path) -> None:
    """It is found by its file; nobody is warned of who else can reach it."""
    until((there.home / "scheduler.json").exists)
    asked = ("sweep", there.home / "sweep.yaml", "--output")
    mine = start(*asked, tmp_path / "out", *there.file, *there.tls, log=tmp_path / "log")
    one = start(*asked, there.home / "one", log=there.home / "log")
    assert [ended(one), ended(mine)] == [0, 0], (tmp_path / "log").read_text()
    said = (tmp_path / "log").read_text()
    assert "scheduler tls://127.0.0.1:" in said and "warning" not in said
    assert same(tmp_path / "out", there.home / "one")


def test_without_a_certificate_nobody_is_let_in(there: There, tmp_path: Path) -> None:
    until((there.home / "scheduler.json").exists)
    out = tmp_path / "out"
    asked = ("sweep", there.home / "sweep.yaml", "--output", out)
    code = ended(start(*asked, *there.file, log=tmp_path / "log"))
    said = (tmp_path / "log").read_text()
    assert code == 2 and "is encrypted; required: --tls-ca" in said and not out.exists(), said
    (tmp_path / "plain.json").write_text(there.address.replace("tls://", "tcp://"))
    plain = ("--scheduler-file", tmp_path / "plain.json")
    code = ended(start(*asked, *plain, log=tmp_path / "log"))
    said = (tmp_path / "log").read_text()
    assert code == DEADLINE and "no scheduler answers" in said and not out.exists(), said
    assert "Traceback" not in said


def test_a_scheduler_that_goes_costs_what_was_in_training(there: There, tmp_path: Path) -> None:
    """The command says so; in one process the same command trains only what is missing."""
    until((there.home / "scheduler.json").exists)
    out = tmp_path / "out"
    asked = ("sweep", there.home / "sweep.yaml", "--output", out)
    mine = start(*asked, *there.file, *there.tls, log=tmp_path / "log")
    until(lambda: parts(out) > 1)
    there.scheduler.kill()
    said = (tmp_path / "log").read_text
    assert ended(mine) == DEADLINE, said()
    assert "the scheduler does not answer any more" in said() and "Traceback" not in said()
    published = {path: path.stat().st_mtime_ns for path in (out / "runs").glob("[!.]*.parquet")}
    assert 1 < len(published) < 7
    assert ended(start(*asked, log=tmp_path / "log")) == 0, said()
    assert all(path.stat().st_mtime_ns == then for path, then in published.items())
    assert len(pd.read_parquet(out / "runs")) == 52 and same(out, there.home / "one")
