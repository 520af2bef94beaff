"""Commands as processes of their own, whose training is null, and which last as long as told.

A server imports everything once and forks itself for each of them.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pandas as pd

SWEEP = """\
name: shared
task: {kind: modular, modulus: 7}
model: {width: 12}
train: {steps: 40, log_every: 10}
axes:
  optimizer.weight_decay: {start: 0, stop: 4, num: 26}
  data.data_fraction: [0.3, 0.5, 0.7, 0.9]
seeds: [0, 1]
engine: {chunk: 8, checkpoint_every: 1.0e-9}
"""
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.distribute.children", "tests.running.null", "phasegrok.api"])


def command(arguments: list[str], log: str, environment: dict[str, str]) -> None:
    """The command, in a process that was forked for it."""
    os.environ.update(environment)
    for number in (1, 2):
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    sys.argv = ["phasegrok", *arguments]
    command_here()


def command_here() -> None:
    """The command of ``sys.argv``, whose training is null, in this process."""
    from phasegrok import figures
    from phasegrok.files import members
    from phasegrok.plan import layout
    from tests.running import null

    members.HEARTBEAT, members.EXPIRY = 0.2, float(os.environ.get("EXPIRY", "60"))  # type: ignore[misc]
    layout.CALL_SECONDS = 1e-9  # a call for every logging interval
    figures.draw = lambda *args, **kwargs: []  # type: ignore[assignment]
    null.train_nothing()
    from phasegrok.distribute import dask, shards

    dask.CONNECT_SECONDS = 5  # type: ignore[misc]
    dask.CONFIG["distributed.comm.timeouts.connect"] = "5s"  # type: ignore[index]
    shards.LOOK_EVERY, shards.WAIT = 0.5, 0.1  # type: ignore[misc]
    from phasegrok.cli.start import main

    main()


def start(
    *arguments: object, log: Path, seconds: float = 0.0, expiry: float = 1.5
) -> ForkServerProcess:
    """Start a command; each logging interval of a chunk lasts so long, a silent process is thought
    lost after so long."""
    environment = {
        "JAX_NUM_CPU_DEVICES": "2",
        "NULL_TRAINER_SECONDS": str(seconds),
        "EXPIRY": str(expiry),
    }
    process = CONTEXT.Process(target=command, args=([*map(str, arguments)], str(log), environment))
    process.start()
    return process


def ended(process: ForkServerProcess, seconds: float = 120) -> int:
    """Wait for a command, and give its exit code."""
    process.join(seconds)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


def until(there: Callable[[], Any], seconds: float = 120) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def parts(out: Path) -> int:
    return len(list((out / "runs").glob("[!.]*.parquet")))


def published(out: Path, chunk: str) -> bool:
    return (out / "runs" / f"{chunk}.parquet").exists()


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same tables, bit for bit."""
    return all(
        pd.read_parquet(one / table).equals(pd.read_parquet(other / table))
        for table in ("runs", "curves", "cells.parquet", "boundaries.parquet")
    )
