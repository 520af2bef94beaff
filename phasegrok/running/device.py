"""Whether a sweep may run on the devices at hand."""

from __future__ import annotations

from pathlib import Path

from phasegrok.errors import Refusal
from phasegrok.kernels import fused
from phasegrok.plan.layout import Job, Machine
from phasegrok.plan.runs import RunTable
from phasegrok.running.manifest import Manifest
from phasegrok.sweep.load import Sweep
from phasegrok.train.memory import least_bytes

__all__ = ["check_device", "check_fits", "check_kernel", "check_same_device"]


def check_device(sweep: Sweep, here: Machine) -> None:
    """Refuse a platform that was asked for and is not at hand: a day on a CPU helps nobody.

    Raises:
        Refusal: see above.
    """
    asked = sweep.engine.platform
    if asked in ("auto", "any", here.platform):
        return
    other = "JAX_PLATFORMS=cpu" if asked == "cpu" else f"a machine where JAX shows a {asked}"
    raise Refusal(
        f"{sweep.where('engine.platform')}: engine.platform: found {asked}, and JAX shows"
        f" {here.platform} here; allowed: {other}, or engine.platform auto"
    )


def check_kernel(sweep: Sweep, table: RunTable, here: Machine) -> None:
    """Refuse the fused kernel where it is none.

    Raises:
        Refusal: no GPU is at hand, or the kernel does not compute the sweep's networks.
    """
    if sweep.engine.kernel == "plain":
        return
    at = f"{sweep.where('engine.kernel')}: engine.kernel: found fused"
    if here.platform != "gpu":
        raise Refusal(f"{at} on {here.platform}; allowed: plain, or a machine with a GPU")
    for experiment in table.experiments:
        if problem := fused.problem(experiment):
            raise Refusal(f"{at}: {problem}, or engine.kernel plain")


def check_same_device(sweep: Sweep, found: Manifest, here: Machine, path: Path) -> None:
    """Refuse to go on without the accelerator that began a folder, unless that was asked for.

    Raises:
        Refusal: see above.
    """
    if sweep.engine.platform == "any" or found.platform in ("cpu", here.platform):
        return
    raise Refusal(
        f"{path}: was begun on {found.device} ({found.platform}), and JAX shows {here.platform}"
        " here, which takes other bits and perhaps days; allowed: --any-device, which goes on here,"
        " or a machine with such a device"
    )


def check_fits(job: Job, here: Machine, path: Path) -> None:
    """Refuse to go on with a chunk that was sized for another machine and cannot fit this one.

    Raises:
        Refusal: see above.
    """
    need = least_bytes(job, job.layout.chunk)
    if need > here.memory:
        raise Refusal(
            f"{path}: a chunk of {job.layout.chunk} runs, as the machine that began this folder"
            f" trained them, needs about {need / 2**30:.3g} GiB of {here.memory / 2**30:.3g} GiB"
            " usable here; allowed: such a machine; or --output DIR --reuse this folder, which"
            " keeps its published runs"
        )
