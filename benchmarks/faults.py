"""Break things on purpose, many times, and count what was lost. ``make faults``.

Every row of the table in docs/reliability.md is a kind of fault, put into a small sweep (6 runs in
4 chunks, with curves, neurons, networks and checkpoints) over and over. After each fault the same
command goes on, and all tables, networks and labels are compared with those of a sweep to which
nothing happened, bit for bit.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import jax
import pandas as pd

from phasegrok import running
from phasegrok.machine import cores
from phasegrok.results.folder import Folder
from phasegrok.running.verify import readable
from tests.cli.phases import LONG, LONG_INTERVAL, MOMENTS, UNTOUCHED, Case, Phases
from tests.cli.phases import SWEEP as SIGNALLED
from tests.running.damage import WAYS, copied, damage, differences, make, result_files, swap
from tests.running.faulty import BROKEN, FULL, KILLED, QUOTA, READ_ONLY, Disk, Killed, between
from tests.running.watching import Watch

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: written by make faults -->", "<!-- end of faults -->"
NAMES = ("kills", "errors", "damages", "processes", "signals")
SHARDS = 8  # pieces of every kind, each with a seed of its own
ERRORS = {"ENOSPC": FULL, "EDQUOT": QUOTA, "EIO": BROKEN, "EROFS": READ_ONLY}


@dataclass
class Row:
    """One kind of fault."""

    fault: str
    how: str
    test: str
    times: int = 0
    lost: int = 0  # runs that were published before, and are not after
    differ: int = 0  # times that a result was not the undamaged one's
    crashed: int = 0  # times that it ended in something else than a line

    def with_more(self, other: Row) -> Row:
        """The same kind of fault, in all."""
        return replace(
            self,
            times=self.times + other.times,
            lost=self.lost + other.lost,
            differ=self.differ + other.differ,
            crashed=self.crashed + other.crashed,
        )

    def text(self) -> str:
        same = "yes" if not self.differ else f"no, {self.differ} times"
        ends = "" if not self.crashed else f"; {self.crashed} ended otherwise"
        cells = (self.fault, self.how, self.times, self.lost, same + ends, f"`{self.test}`")
        return f"| {' | '.join(map(str, cells))} |"


class Bench:
    """A finished sweep to break copies of."""

    def __init__(self, home: Path, times: int, seed: int) -> None:
        self.home, self.times, self.chance = home, times, random.Random(seed)
        self.sweep, self.whole = make(home)

    def train(self, out: Path) -> None:
        running.run(running.prepare(self.sweep, out, False, lambda line: None), Watch())

    def count(self) -> int:
        """How many calls of the disk a sweep makes."""
        out = self.home / "counted"
        with between(Disk(out)) as disk:
            self.train(out)
        shutil.rmtree(out)
        return disk.calls

    def goes_on(self, out: Path, row: Row, whole_before: set[str]) -> None:
        """The same command again; what came of it is counted."""
        row.times += 1
        try:
            self.train(out)
        except Exception as error:
            row.crashed += 1
            print(f"{row.fault}: {type(error).__name__}: {error}", file=sys.stderr)
            return
        done = {name for runs in readable(Folder(out)).values() for name in runs}
        row.lost += len(whole_before - done)
        row.differ += bool(differences(out, self.whole))

    def kills(self) -> Iterator[Row]:
        """The process ends at a call of the disk; half of the times again while it recovers."""
        row = Row(
            "the process ends (kill -9, power)",
            "at a random one of some 1800 calls of the disk; every other time at another one of the"
            " recovery too",
            "tests/running/test_faults.py",
        )
        many = self.count()
        for i in range(self.times):
            out = self.home / "out"
            shutil.rmtree(out, ignore_errors=True)
            for _ in range(1 + i % 2):
                with between(Disk(out, self.chance.randrange(many), KILLED)), suppress(Killed):
                    self.train(out)
            self.goes_on(out, row, _published(out))
        yield row

    def errors(self) -> Iterator[Row]:
        """The disk fails, and stays so until it is mended."""
        many = self.count()
        for name, number in ERRORS.items():
            row = Row(
                f"a disk that fails ({name})",
                "from a random call on, until it is mended",
                "tests/running/test_faults.py",
            )
            for _ in range(max(1, self.times // 20)):
                out = self.home / "out"
                shutil.rmtree(out, ignore_errors=True)
                with between(Disk(out, self.chance.randrange(many), number)), suppress(OSError):
                    self.train(out)
                self.goes_on(out, row, _published(out))
            yield row

    def damages(self) -> Iterator[Row]:
        """Files of a finished folder, damaged in every way."""
        files = result_files(self.whole)
        for way in WAYS:
            row = Row(
                f"a file {'is' if way != 'zeros' else 'has a block of'} {way}",
                f"a random one of {len(files)} files of results",
                "tests/running/test_damage.py",
            )
            for _ in range(self.times // (len(WAYS) - 1)):
                out = copied(self.whole, self.home / "out")
                damage(out / self.chance.choice(files), way, self.chance)
                self.goes_on(out, row, set())
            yield row
        row = Row(
            "two parts exchange names", "of every table in turn", "tests/running/test_damage.py"
        )
        for i in range(max(3, self.times // 50)):
            out = copied(self.whole, self.home / "out")
            swap(out, ("runs", "curves", "neurons")[i % 3])
            self.goes_on(out, row, set())
        yield row

    def processes(self) -> Iterator[Row]:
        """Real processes, killed at random moments of their lives."""
        row = Row(
            "a real process is killed (SIGKILL)",
            "at a random moment, three times a sweep",
            "tests/cli/test_main.py",
        )
        command = [sys.executable, "-m", "phasegrok.sweep", str(self.home / "damaged.yaml")]
        for _ in range(max(1, self.times // 200)):
            out = self.home / "out"
            shutil.rmtree(out, ignore_errors=True)
            for _ in range(3):
                process = subprocess.Popen(
                    [*command, "--output", str(out)],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                time.sleep(self.chance.uniform(0.5, 8))
                process.send_signal(signal.SIGKILL)
                process.wait()
            before = _published(out) if out.exists() else set()
            # In a process like those before: other settings of XLA give other bits.
            ended = subprocess.run([*command, "--output", str(out)], capture_output=True, text=True)
            row.times += 3
            row.crashed += ended.returncode != 0
            reference = self.home / "reference"
            if not reference.exists():
                subprocess.run([*command, "--output", str(reference)], capture_output=True)
            row.lost += len(before - _published(out))
            row.differ += bool(differences(out, reference))
        yield row

    def signals(self) -> Iterator[Row]:
        """Every signal of a person or a cluster at every moment of a sweep's life, one or two."""
        row = Row(
            "a signal (INT, TERM, HUP, USR1, USR2), alone and followed by another",
            f"at every one of {len(MOMENTS) + 1} moments, from importing to drawing",
            "tests/cli/test_signals.py",
        )
        file = self.home / "signals.yaml"
        file.write_text(SIGNALLED)
        cases = self.chance.sample(LONG, min(len(LONG), max(3, self.times // 16)))
        servers: list[Phases] = []
        for importing in (True, False):  # a process that has imported cannot be caught importing
            servers.append(server := Phases(dict(os.environ)))
            for case in cases:
                if (case.moment == "importing") == importing:
                    self._signal(server, case, file, row)
            server.close()
        yield row

    def _signal(self, server: Phases, case: Case, file: Path, row: Row) -> None:
        sets = LONG_INTERVAL if case.split else ()
        out, whole = self.home / "out", self.home / f"signalled-{case.split}"
        if not whole.exists() and case.moment != "importing":
            server.run(UNTOUCHED, file, *sets, "--output", whole)
        shutil.rmtree(out, ignore_errors=True)
        ended = server.run(case, file, *sets, "--output", out)
        # A moment that does not come in this sweep leaves it untouched.
        row.crashed += ended.code not in (case.code, 0) or "Traceback" in ended.stderr
        row.times += 1
        if case.moment == "importing":
            row.lost += out.exists()
            return
        before = _published(out) if out.exists() else set()
        again = server.run(UNTOUCHED, file, *sets, "--output", out)
        row.crashed += again.code != 0
        row.lost += len(before - _published(out))
        row.differ += not all(
            pd.read_parquet(out / table).equals(pd.read_parquet(whole / table))
            for table in ("runs", "curves", "neurons", "cells.parquet")
        )


def _published(out: Path) -> set[str]:
    return {name for runs in readable(Folder(out)).values() for name in runs}


def written(page: str, table: str) -> str:
    """The page with another table."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{table}\n\n{END}", page)


def kept(page: str, rows: dict[str, Row]) -> list[str]:
    """The rows of the page's table of other faults than these."""
    table = page.partition(BEGIN)[2].partition(END)[0]
    lines = [line for line in table.splitlines() if line.endswith("` |")]
    return [line for line in lines if line.split(" | ")[0].removeprefix("| ") not in rows]


def shard(name: str, times: int, seed: int) -> list[Row]:
    """One kind of faults, so many times, in a folder of its own: in memory, where there is room, as
    the disk's own speed is beside the point."""
    jax.config.update("jax_num_cpu_devices", 2)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as home:
        return list(getattr(Bench(Path(home), times, seed), name)())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1000, help="of kills and of damaged files")
    parser.add_argument("--jobs", type=int, default=cores(), help="processes side by side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", choices=NAMES, action="append", help="replace these rows of the table alone"
    )
    parser.add_argument("--write", type=Path, default=PAGE, help="page whose table is replaced")
    given = parser.parse_args()
    started = time.monotonic()
    names = given.only or NAMES
    rows: dict[str, Row] = {}
    pool = ProcessPoolExecutor(given.jobs, get_context("spawn"))
    with pool:
        each = -(-given.times // SHARDS)
        tasks = [
            pool.submit(shard, name, each, given.seed * SHARDS + n)
            for n in range(SHARDS)
            for name in names
        ]
        for done, task in enumerate(as_completed(tasks), start=1):
            for row in task.result():
                rows[row.fault] = row.with_more(rows[row.fault]) if row.fault in rows else row
            print(f"{done} of {len(tasks)} pieces", flush=True)
    spent = (time.monotonic() - started) / 60
    head = (
        "| fault | how it was injected | times | runs lost | results identical | tested by |\n"
        "|---|---|---|---|---|---|\n"
    )
    what = f" of {', '.join(given.only)}" if given.only else ""
    foot = f"\n\n`make faults`{what}, {spent:.0f} minutes on {os.cpu_count()} cores."
    found = sorted(rows.values(), key=lambda row: (row.test, row.fault))
    print("\n".join(row.text() for row in found))
    page = given.write.read_text()
    lines = [row.text() for row in found] + (kept(page, rows) if given.only else [])
    lines.sort(key=lambda line: (line.split(" | ")[-1], line))
    given.write.write_text(written(page, head + "\n".join(lines) + foot))
    if any(row.lost or row.differ or row.crashed for row in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
