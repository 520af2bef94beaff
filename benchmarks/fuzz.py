"""Many made-up and damaged inputs of every kind: ``make fuzz``.

Each is accepted or refused in one line. The generators are those of the tests; a failure is named
by its seed and number, which give the same input again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from phasegrok.machine import cores
from tests.fuzzing import SOURCES, Outcome, every_kind, fuzz

PIECE = 250  # inputs of one task of a worker


def shard(sound: str, name: str, inputs: int, seed: int) -> Outcome:
    """Some inputs of one kind, in a folder of their own."""
    kind = dict(every_kind(Path(sound)))[name]
    with tempfile.TemporaryDirectory() as folder:
        return fuzz(kind, inputs, seed, Path(folder))


def main() -> int:
    """Try them all, and print a table by kind; 1 if any failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--kind", choices=SOURCES, action="append", help="only these kinds")
    arguments = parser.parse_args()
    names = arguments.kind or SOURCES
    total = {name: Outcome() for name in names}
    pieces = -(-arguments.inputs // (len(names) * PIECE))  # at least as many as asked for
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as sound, ProcessPoolExecutor(cores()) as pool:
        list(every_kind(Path(sound)))  # trained once, before the workers look
        tasks = {
            pool.submit(shard, sound, name, PIECE, seed): name
            for seed in range(pieces)
            for name in names
        }
        for number, task in enumerate(as_completed(tasks), start=1):
            outcome, so_far = task.result(), total[tasks[task]]
            so_far.inputs += outcome.inputs
            so_far.accepted += outcome.accepted
            so_far.refused += outcome.refused
            so_far.slowest = max(so_far.slowest, outcome.slowest)
            so_far.failures += outcome.failures
            failed = sum(len(each.failures) for each in total.values())
            done = f"{number * PIECE} of {len(tasks) * PIECE} inputs, {failed} failures"
            print(f"\r{done}, {time.monotonic() - begun:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)
    print(f"{'kind':<16}{'inputs':>8}{'accepted':>10}{'refused':>9}{'failures':>10}{'slowest':>10}")
    for name, each in total.items():
        print(
            f"{name:<16}{each.inputs:>8}{each.accepted:>10}{each.refused:>9}"
            f"{len(each.failures):>10}{each.slowest:>8.2f} s"
        )
    for name, each in total.items():
        for line in each.failures[:5]:
            print(f"{name} {line}")
    return int(any(each.failures for each in total.values()))


if __name__ == "__main__":
    sys.exit(main())
