"""What a sweep of many runs costs beside its training. ``make bench-scale`` writes docs/scale.md.

Training is null (:mod:`tests.running.null`): it returns at once. What is left is planning,
scheduling, tables and files. Each number comes from a process of its own. Seconds are of the
processor, which other work on the machine does not change, and of the clock, which it does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- scale: written by make bench-scale -->", "<!-- end of scale -->"
SIZES = (10_000, 100_000, 1_000_000)
SWEEP = """\
name: scale
task: {{kind: modular, modulus: 23}}
model: {{width: 32}}
train: {{steps: 100, log_every: 10}}
axes:
  data.data_fraction: {{start: 0.2, stop: 0.9, num: 8}}
  optimizer.weight_decay: {{start: 0, stop: 20, num: {decays}}}
seeds: {seeds}
engine: {{chunk: {chunk}, mapping: {mapping}, compilation_cache: off}}
"""
SMALL, LARGE = 32, 1024  # chunks as of a CPU with few cores, and as of a GPU


def sweep_file(home: Path, runs: int, mapping: str = "map", chunk: int = SMALL) -> Path:
    """A sweep of so many runs: 8 data fractions, 5 seeds, as many weight decays as that takes."""
    path = home / "scale.yaml"
    values = {"decays": runs // 40, "seeds": [0, 1, 2, 3, 4], "mapping": mapping, "chunk": chunk}
    path.write_text(SWEEP.format(**values))
    return path


class Spent:
    """Seconds of the clock and of the processor, and the most memory so far."""

    def __init__(self) -> None:
        self.clock, self.cpu = time.perf_counter(), time.process_time()

    def so_far(self) -> dict[str, float]:
        return {
            "clock": time.perf_counter() - self.clock,
            "cpu": time.process_time() - self.cpu,
            "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        }


def plan(home: Path, runs: int) -> dict[str, Any]:
    """Plan a sweep that begins, as ``--plan`` does before it says how long it takes."""
    from phasegrok import running
    from phasegrok.sweep.load import load
    from phasegrok.train.devices import use_all_cores

    use_all_cores()
    before = Spent().so_far()["gib"]
    spent = Spent()
    prepared = running.prepare(load(sweep_file(home, runs)), home / "out", False, print)
    return {**spent.so_far(), "before": before, "chunks": len(prepared.chunks)}


def run(home: Path, runs: int, chunk: int = SMALL) -> dict[str, Any]:
    """Train nothing, publish everything, label it; and go on with the finished folder."""
    from phasegrok import running
    from phasegrok.results.folder import Folder
    from phasegrok.running.finished import finished_runs
    from phasegrok.sweep.load import load
    from phasegrok.train.devices import use_all_cores
    from tests.running.null import train_nothing

    use_all_cores()
    train_nothing()
    sweep = load(sweep_file(home, runs, chunk=chunk))
    prepared = running.prepare(sweep, home / "out", False, print)
    spent = Spent()
    running.run(prepared, running.Silent())
    first = spent.so_far()
    spent = Spent()
    assert finished_runs(Folder(home / "out"), sweep) == runs
    return {**first, "again": spent.so_far()["cpu"], "chunks": len(prepared.chunks)}


def over_dask(home: Path, runs: int, chunk: int = SMALL) -> dict[str, Any]:
    """The same by two workers of a Dask cluster, which are begun before; seconds of the clock."""
    import dask

    from phasegrok import running
    from phasegrok.distribute.cluster import on_cluster
    from phasegrok.distribute.dask import Dask
    from phasegrok.sweep.load import load
    from phasegrok.train.devices import use_all_cores
    from tests.running.null import SECONDS, train_nothing

    os.environ[SECONDS] = "0"
    preload = {"distributed.worker.preload": ["tests.distribute.null_worker"]}
    use_all_cores()
    train_nothing()
    with (
        dask.config.set(preload),
        on_cluster(Dask(workers=2), True, False, lambda line: None) as cluster,
    ):
        # Workers that have imported everything: a sweep before this one.
        first = running.prepare(load(sweep_file(home, 80)), home / "first", False, print)
        running.run(first, running.Silent(), deliver=cluster)
        sweep = load(sweep_file(home, runs, chunk=chunk))
        prepared = running.prepare(sweep, home / "out", False, print)
        spent = Spent()
        running.run(prepared, running.Silent(), deliver=cluster)
        return {**spent.so_far(), "chunks": len(prepared.chunks)}


def status(home: Path, runs: int) -> dict[str, Any]:
    """``phasegrok status`` of a folder with all parts; each part is the first one's file again."""
    from phasegrok import running
    from phasegrok.running.loop import begin
    from phasegrok.sweep.load import load
    from phasegrok.train.devices import use_all_cores
    from tests.running.null import train_nothing

    use_all_cores()
    train_nothing()
    sweep, out = load(sweep_file(home, runs)), home / "out"
    prepared = running.prepare(sweep, out, False, print)
    out.mkdir()
    begin(prepared, running.Silent())
    from phasegrok.running.chunk import train_chunk
    from phasegrok.running.session import Session

    first, *rest = prepared.chunks
    train_chunk(prepared, first, Session(), running.Silent())
    for chunk in rest:
        for table in ("runs", "curves"):
            source = out / table / f"{first.id}.parquet"
            shutil.copyfile(source, out / table / f"{chunk.id}.parquet")
    command = [sys.executable, "-c", "from phasegrok.cli.start import main; main()", "status"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock = time.perf_counter()
    done = subprocess.run([*command, str(out)], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - clock
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(done.stdout, file=sys.stderr)
    return {"clock": seconds, "cpu": cpu, "parts": len(prepared.chunks)}


def programs(home: Path, runs: int) -> dict[str, Any]:
    """Memory of a process that compiles and trains so many programs, one after the other."""
    import jax

    from phasegrok import running
    from phasegrok.sweep.load import load
    from phasegrok.train.devices import use_all_cores

    use_all_cores()
    jax.config.update("jax_disable_most_optimizations", True)
    path = home / "programs.yaml"
    path.write_text(
        "name: programs\ntask: {kind: modular, modulus: 5}\ntrain: {steps: 2, log_every: 1}\n"
        f"axes: {{model.width: {{start: 4, stop: {4 * runs}, num: {runs}}}}}\n"
    )
    seen: list[float] = []

    class Watch(running.Silent):
        def advanced(self, work: float, runs: int) -> None:
            if runs:
                seen.append(_resident())

    running.run(running.prepare(load(path), home / "out", False, print), Watch())
    return {"gib": [seen[i - 1] for i in range(len(seen) // 4, len(seen) + 1, len(seen) // 4)]}


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30


MEASURED: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "plan": plan,
    "run": run,
    "run in large chunks": partial(run, chunk=LARGE),
    "run over Dask": over_dask,
    "run over Dask in large chunks": partial(over_dask, chunk=LARGE),
    "status": status,
    "programs": programs,
}


def measured(what: str, runs: int) -> dict[str, Any]:
    """What one of the functions above gives, in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale", "--one", what, str(runs), home],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{what} {runs}: {found}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "RUNS", "FOLDER"), help="inside")
    parser.add_argument("--most", type=int, default=max(SIZES), help="runs to plan")
    parser.add_argument(
        "--most-run", type=int, default=max(SIZES), help=f"runs to go through in chunks of {SMALL}"
    )
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--write", type=Path, default=PAGE, help="page whose table is replaced")
    given = parser.parse_args()
    if given.one:
        what, runs, home = given.one
        print(json.dumps(MEASURED[what](Path(home), int(runs))))
        return
    rows = []
    for runs in (size for size in SIZES if size <= given.most):
        planned = measured("plan", runs)
        small = measured("run", runs) if runs <= given.most_run else None
        large = measured("run in large chunks", runs)
        shown = measured("status", runs)
        rows.append(_row(runs, planned, small, large, shown))
    dask = [
        (measured("run over Dask", 10_000), 10_000, SMALL),
        (measured("run over Dask in large chunks", 100_000), 100_000, LARGE),
    ]
    memory = measured("programs", given.programs)["gib"] if given.programs else []
    given.write.write_text(
        _written(given.write.read_text(), _page(rows, dask, memory, given.programs))
    )


def _row(
    runs: int,
    planned: dict[str, Any],
    small: dict[str, Any] | None,
    large: dict[str, Any],
    shown: dict[str, Any],
) -> str:
    cells = (
        f"{runs:,}",
        f"{planned['chunks']:,}",
        f"{planned['cpu']:.1f} s ({planned['clock']:.1f})",
        f"{planned['gib']:.2f} GiB",
        _each(small, runs) if small else "not run",
        _each(large, runs),
        f"{large['gib']:.2f} GiB",
        f"{large['again']:.1f} s",
        f"{shown['cpu']:.1f} s ({shown['clock']:.1f})",
    )
    return f"| {' | '.join(cells)} |"


def _each(spent: dict[str, Any], runs: int) -> str:
    return f"{spent['cpu'] / runs * 1e3:.3f} ms ({spent['clock'] / runs * 1e3:.3f})"


def _page(
    rows: list[str],
    dask: list[tuple[dict[str, Any], int, int]],
    memory: list[float],
    programs: int,
) -> str:
    head = (
        f"| runs | chunks of {SMALL} | planning | its memory | each run, in chunks of {SMALL} |"
        f" in chunks of {LARGE} | its memory | verified again | `status`, chunks of {SMALL} |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    text = head + "\n".join(rows)
    load = os.getloadavg()[0]
    text += (
        f"\n\nSeconds of the processor; in brackets of the clock, on {os.cpu_count()} cores of"
        f" {platform.machine()} with a load of {load:.0f} by everything that runs there."
    )
    each = ", ".join(
        f"{found['clock'] / runs * 1e3:.3f} ms for each of {runs:,} runs in chunks of {chunk}"
        for found, runs, chunk in dask
    )
    text += f"\n\nBy two workers of a Dask cluster, of the clock, without their start: {each}."
    if memory:
        steps = ", ".join(f"{each:.2f}" for each in memory)
        text += (
            f"\n\nMemory of a process that compiles {programs} programs one after the other, after"
            f" each quarter of them: {steps} GiB."
        )
    return text


def _written(page: str, table: str) -> str:
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{table}\n\n{END}", page)


if __name__ == "__main__":
    main()
