"""A sweep on several processes that are killed, stopped and begun again: are its tables the same?
``make distributed`` writes the table in docs/cluster.md.

Training is real here, in processes as users start them. ``tests/distribute`` has the same with a
trainer that returns at once.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from phasegrok.files.members import pieces
from phasegrok.results.sessions import read_sessions

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cluster.md"
BEGIN, END = "<!-- distributed: written by make distributed -->", "<!-- end of distributed -->"
TABLES = ("runs", "curves", "cells.parquet", "boundaries.parquet")
SWEEP = """\
name: shared
task: {kind: modular, modulus: 23}
model: {width: 64}
train: {steps: 400, log_every: 20}
axes:
  optimizer.weight_decay: {start: 0, stop: 20, num: 26}
  data.data_fraction: [0.4, 0.8]
seeds: [0, 1, 2, 3]
engine: {chunk: 8, checkpoint_every: 2, compilation_cache: off}
"""
RUNS, CHUNKS = 208, 26


class Bench:
    """A sweep file, and the folder that one process made of it."""

    def __init__(self, home: Path) -> None:
        self.home, self.file = home, home / "sweep.yaml"
        self.file.write_text(SWEEP)
        self.notes: list[str] = []

    def start(self, out: Path, *options: object, log: str = "log") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "phasegrok.sweep", str(self.file), "--output", str(out)]
        with (self.home / log).open("ab") as file:
            return subprocess.Popen(
                [*command, *map(str, options)], cwd=ROOT, stdout=file, stderr=file
            )

    def ended(self, process: subprocess.Popen[bytes]) -> int:
        return process.wait(3600)

    def same(self, out: Path) -> bool:
        one = self.home / "one"
        return all(
            pd.read_parquet(out / name).equals(pd.read_parquet(one / name)) for name in TABLES
        )

    def one(self) -> str:
        code = self.ended(self.start(self.home / "one"))
        return f"exit code {code}"

    def workers(self) -> str:
        """Two workers; two kills, and one stopped until its chunk is another's."""
        out = self.home / "workers"
        process = self.start(out, "--workers", 2, log="workers.log")
        for many in (3, 8):
            until(lambda many=many: parts(out) >= many and pieces(out))
            os.kill(working(out), signal.SIGKILL)
        until(lambda: parts(out) >= 12 and pieces(out))
        chunk, slept = next((c, int(each["pid"])) for c, each in pieces(out).items())
        os.kill(slept, signal.SIGSTOP)
        # Dask gives a worker up after a minute of silence.
        until(lambda: (out / "runs" / f"{chunk}.parquet").exists() or ended(process), 600)
        with_it = (out / "runs" / f"{chunk}.parquet").exists()
        try:
            os.kill(slept, signal.SIGCONT)
        except ProcessLookupError:
            self.notes.append("the sleeping worker was ended by its nanny")
        code = self.ended(process)
        return f"exit code {code}, equal: {self.same(out)}, its chunk by another: {with_it}"

    def shards(self) -> str:
        """Four shards; two are killed, one of them is begun again."""
        out = self.home / "shards"
        shards = [self.start(out, "--shard", f"{i}/4", log=f"shard{i}.log") for i in (1, 2, 3, 4)]
        until(lambda: parts(out) >= 3 and len(pieces(out)) >= 2)
        for i in (1, 2):
            shards[i].send_signal(signal.SIGKILL)
            shards[i].wait()
        again = self.start(out, "--shard", "2/4", log="shard2.log")
        codes = [self.ended(each) for each in (shards[0], again, shards[3])]
        return f"exit codes {codes}, equal: {self.same(out)}"

    def scheduler(self) -> str:
        """The scheduler is killed; the sweep is run again with another one."""
        out, file = self.home / "scheduler", self.home / "scheduler.json"
        with cluster(file) as processes:
            process = self.start(out, "--scheduler-file", file, log="scheduler.log")
            until(lambda: parts(out) >= 6)
            processes[0].send_signal(signal.SIGKILL)
            first = self.ended(process)
        before = parts(out)
        file.unlink(missing_ok=True)
        with cluster(file):
            second = self.ended(self.start(out, "--scheduler-file", file, log="scheduler.log"))
        trained = [each for each in read_sessions(out) if not each.share][-1].chunks
        return (
            f"exit codes {first}, {second}; {before} of {CHUNKS} chunks were done, {trained} were"
            f" trained then; equal: {self.same(out)}"
        )


@contextmanager
def cluster(file: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler and two workers as processes of their own."""
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    where = ["--scheduler-file", str(file)]
    scheduler = [*dask, "scheduler", *where, "--host", "127.0.0.1", "--port", "0"]
    worker = [*dask, "worker", *where, "--nthreads", "1", "--host", "127.0.0.1"]
    worker += ["--death-timeout", "60", "--no-dashboard", "--memory-limit", "0"]
    processes = [subprocess.Popen([*scheduler, "--no-dashboard"], cwd=ROOT, **quiet)]
    until(file.exists)
    processes += [subprocess.Popen(worker, cwd=ROOT, **quiet) for _ in range(2)]
    try:
        yield processes
    finally:
        for process in processes[::-1]:
            process.terminate()
        for process in processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def working(out: Path) -> int:
    """The process of a worker that trains just now."""
    return int(next(iter(pieces(out).values()))["pid"])


def parts(out: Path) -> int:
    return len(list((out / "runs").glob("[!.]*.parquet")))


def ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


def until(there: Callable[[], Any], seconds: float = 1800) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        if time.monotonic() > deadline:
            raise TimeoutError("it never came to be")
        time.sleep(0.05)


CASES = {
    "one process": ("one", "nothing is done to it"),
    "`--workers 2`": (
        "workers",
        "a worker is killed (-9), twice; one is stopped until its chunk is another's, and goes on",
    ),
    "four shards": ("shards", "two are killed (-9), one of them is begun again"),
    "`--scheduler-file`": ("scheduler", "the scheduler is killed (-9); all is begun again"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, default=PAGE, help="page whose table is replaced")
    given = parser.parse_args()
    rows, wrong = [], False
    with tempfile.TemporaryDirectory() as home:
        bench = Bench(Path(home))
        for name, (case, what) in CASES.items():
            began = time.monotonic()
            found = getattr(bench, case)()
            row = f"| {name} | {what} | {found} | {time.monotonic() - began:.0f} s |"
            print(row, flush=True)
            rows.append(row)
            wrong |= "equal: False" in found
    head = f"| {RUNS} runs in {CHUNKS} chunks | what is done | what came of it | time |\n"
    table = head + "|---|---|---|---|\n" + "\n".join(rows)
    table += f"\n\n`make distributed`, on {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}."
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
    page = given.write.read_text()
    given.write.write_text(pattern.sub(lambda _: f"{BEGIN}\n\n{table}\n\n{END}", page))
    sys.exit(wrong)


if __name__ == "__main__":
    main()
