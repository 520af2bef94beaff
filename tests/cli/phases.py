"""Sweeps that are sent signals at chosen moments, each a process of its own.

One process imports everything and forks itself for every case, so a case costs what its sweep
costs. A signal is sent from inside, at a certain call of a certain function: no case depends on how
fast the machine is.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
PERSON: Final = ("SIGINT", "SIGTERM")
CLUSTER: Final = ("SIGHUP", "SIGUSR1", "SIGUSR2")
SWEEP: Final = """\
name: tiny
task: {kind: modular, modulus: 7}
model: {width: 16}
train: {steps: 2000, log_every: 100}
axes: {optimizer.weight_decay: [0, 1, 2, 3]}
engine: {chunk: 2, checkpoint_every: 1.0e-9}
measure: {spectra: true, steps: [0, 500]}
"""
# What is called at a moment: module, attributes.
MOMENTS: Final = {
    "planning": ("phasegrok.running.follow", "size_chunks"),
    "compiling": ("phasegrok.train.engine", "executable"),
    "beginning": ("phasegrok.train.engine", "Engine.begin"),
    "training": ("phasegrok.train.engine", "Engine.segment"),
    "inside an interval": ("phasegrok.train.engine", "Engine.piece"),
    "measuring": ("phasegrok.train.engine", "Engine.snapshot"),
    "writing": ("os", "fsync"),
    "drawing": ("matplotlib.figure", "Figure.savefig"),
}


@dataclass(frozen=True)
class Case:
    """Signals, one after the other, before a call of what a moment names."""

    moment: str
    signals: tuple[str, ...]
    call: int = 1
    split: bool = False

    @property
    def code(self) -> int:
        return 75 if self.signals and self.signals[0] in CLUSTER else 130

    def __str__(self) -> str:
        return f"{self.moment} {self.call}: {' '.join(self.signals)}"


UNTOUCHED: Final = Case("", ())
# Pieces of one interval, whose numbers are those of the interval as a whole.
LONG_INTERVAL: Final = ("--set", "train.log_every=1000", "--set", "measure.steps=[0]")
# Every moment, every signal, one and two of them. A longer list is all combinations.
SHORT: Final = (
    Case("importing", ("SIGTERM",)),
    Case("importing", ("SIGUSR1",)),
    Case("planning", ("SIGHUP",)),
    Case("compiling", ("SIGINT",)),
    Case("beginning", ("SIGUSR2",)),
    Case("training", ("SIGUSR1",), 2),
    Case("training", ("SIGHUP", "SIGTERM"), 1),
    Case("inside an interval", ("SIGTERM",), 3, split=True),
    Case("measuring", ("SIGUSR2",)),
    Case("writing", ("SIGINT",), 1),
    Case("writing", ("SIGUSR1", "SIGTERM"), 7),
    Case("drawing", ("SIGUSR1",), 2),
    Case("drawing", ("SIGINT", "SIGINT", "SIGINT"), 1),
)
LONG: Final = tuple(
    Case(moment, (name, *more), call, moment == "inside an interval")
    for moment in ("importing", *MOMENTS)
    for name in (*PERSON, *CLUSTER)
    for more in ((), ("SIGTERM",))
    for call in ((1, 4, 8, 12, 16, 20) if moment == "writing" else (1, 2))
    if not (moment in ("importing", "planning") and call > 1)
)


@dataclass
class Ended:
    """How a case ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float


@dataclass
class Phases:
    """The process that forks itself; each case is one line to it and one back."""

    environment: dict[str, str]
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.cli.phases"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, case: Case, *arguments: object) -> Ended:
        assert self.process.stdin and self.process.stdout
        asked = [case.moment, case.signals, case.call, case.split, *map(str, arguments)]
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return Ended(*json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        self.process.communicate()


def serve(lines: Iterable[str]) -> None:
    for line in lines:
        moment, signals, call, split, *arguments = json.loads(line)
        if moment != "importing":
            import matplotlib.figure  # noqa: F401

            import phasegrok.cli.text
            import phasegrok.figures
            import phasegrok.running.loop
            import phasegrok.running.preparing
            import phasegrok.train.engine  # noqa: F401
        logs = [Path(arguments[-1] + suffix) for suffix in (".stdout", ".stderr")]
        began = time.monotonic()
        if (child := os.fork()) == 0:
            _child(Case(moment, tuple(signals), call, split), arguments, logs)
        _, status = os.waitpid(child, 0)
        seconds = time.monotonic() - began
        texts = [log.read_text() for log in logs]
        print(json.dumps([os.waitstatus_to_exitcode(status), *texts, seconds]), flush=True)


def _child(case: Case, arguments: list[str], logs: list[Path]) -> None:
    for number, log in enumerate(logs, start=1):
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which `nohup` around all tests has ignored
    sys.argv = ["phasegrok", "sweep", *arguments]
    if case.moment == "importing":
        sys.meta_path.insert(0, _SignalAtImport(case))  # type: ignore[arg-type]
    elif case.moment:
        _signal_at_call(case)
    if case.moment not in ("importing", "drawing"):
        # Pictures take longer than everything else here, and only one moment is among them.
        figures: Any = import_module("phasegrok.figures")
        figures.draw = lambda folder: []
    if case.split:
        layout: Any = import_module("phasegrok.plan.layout")
        layout.SPLIT_SECONDS, layout.CALL_SECONDS = 0.0, 2e-3
    from phasegrok.cli.start import main

    main()


def _send(case: Case) -> None:
    for name in case.signals:
        os.kill(os.getpid(), getattr(signal, name))
        time.sleep(0.05)  # the other thread hears it


class _SignalAtImport:
    def __init__(self, case: Case) -> None:
        self.case = case

    def find_spec(self, name: str, *_: object) -> None:
        if name == "jax":
            _send(self.case)


def _signal_at_call(case: Case) -> None:
    module, names = MOMENTS[case.moment]
    *owners, name = names.split(".")
    owner = import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    plain, calls = getattr(owner, name), 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == case.call:
            _send(case)
        return plain(*args, **kwargs)

    setattr(owner, name, wrapped)


if __name__ == "__main__":
    serve(sys.stdin)
