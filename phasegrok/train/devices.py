"""The devices that JAX shows, and settings of JAX and XLA with which nothing here can work.

JAX itself answers a platform that is not there with a traceback, and XLA a flag that it does not
know with an abort. Both are foreseen here, before JAX's first use.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Mapping
from typing import Any, Final

from phasegrok.errors import Refusal, short
from phasegrok.machine import cores, processor

__all__ = ["check_flags", "kind_of_device", "local_devices", "use_all_cores"]

# What these change is what numbers are computed, or whether programs can be compiled ahead.
SETTINGS: Final[Mapping[str, tuple[bool, str]]] = {
    "jax_enable_x64": (False, "runs are computed in float32"),
    "jax_disable_jit": (False, "runs are compiled"),
    "jax_debug_nans": (False, "a run that diverges is a result"),
    "jax_debug_infs": (False, "a run that diverges is a result"),
    "jax_threefry_partitionable": (True, "seeds would mean other numbers"),
}
PROBE_SECONDS: Final = 60


def use_all_cores() -> None:
    """Show every CPU core that we are given to JAX as a device, before its first use.

    Cells then train side by side, one a core, and the parts of a step that do not run in
    parallel (gathers, scatters, Adam) no longer leave the other cores idle. A number of devices
    that ``JAX_NUM_CPU_DEVICES`` asks for stays.

    Raises:
        Refusal: JAX cannot start with the settings that it is given.
    """
    check_flags()
    # Of JAX's own cache, where a user turned it on: a bad entry is no entry.
    for doing in ("reading", "writing"):
        warnings.filterwarnings("ignore", f"Error {doing} persistent compilation cache")
    try:
        import jax
    except (ValueError, RuntimeError) as error:  # of a variable that JAX cannot read
        raise _refusal(error) from None
    config: Any = jax.config
    check_settings(config)
    if config.jax_num_cpu_devices < 1:
        config.update("jax_num_cpu_devices", cores())
    local_devices()


def local_devices() -> list[Any]:
    """The devices of this process.

    Raises:
        Refusal: a platform was asked for that is not there, or settings clash.
    """
    import jax

    try:
        return jax.local_devices()
    # JAX looks for a CUDA plugin with an assertion, for other platforms with a RuntimeError.
    except (RuntimeError, AssertionError, ValueError) as error:
        raise _refusal(error) from None


def kind_of_device() -> str:
    """What computes here: the name of the accelerator, or of the processor. Numbers are the same,
    bit for bit, on devices of one kind."""
    first = local_devices()[0]
    return processor() if first.platform == "cpu" else str(first.device_kind)


def check_settings(config: Any) -> None:
    """Refuse settings with which numbers would be others, or none."""
    for name, (needed, why) in SETTINGS.items():
        found = getattr(config, name, needed)
        if bool(found) != needed:
            raise Refusal(f"{name.upper()}: found {found}; allowed: {needed}, since {why}")


def check_flags() -> None:
    """Refuse ``XLA_FLAGS`` at which XLA aborts: another process tries them, where there are any."""
    flags = os.environ.get("XLA_FLAGS", "").strip()
    if not flags:
        return
    code = "import jax; jax.local_devices(backend='cpu')"
    without = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    try:
        tried = subprocess.run(
            [sys.executable, "-c", code],
            env={**without, "JAX_PLATFORMS": "cpu"},
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return  # a machine that is too busy to try; then XLA itself has to say it
    if tried.returncode:
        lines = tried.stderr.decode(errors="replace").splitlines()
        said = next((line for line in lines if "XLA_FLAGS" in line or "lag" in line), "it aborts")
        said = short(said.rpartition("] ")[2].partition(": see ")[0])
        raise Refusal(f"XLA_FLAGS: found {short(flags)} ({said}); allowed: flags that XLA knows")


def _refusal(error: Exception) -> Refusal:
    """JAX's first line, and what asked for what it did not find."""
    asked = [
        f"{name}={short(os.environ[name])}"
        for name in sorted(os.environ)
        if name.startswith("JAX_") or name in ("XLA_FLAGS", "CUDA_VISIBLE_DEVICES")
    ]
    said = str(error).partition("\n")[0].partition(" (set JAX_PLATFORMS")[0]
    said = said.rstrip(".") or "the platform that was asked for is not there"
    return Refusal(
        f"{' '.join(asked) or 'JAX'}: JAX cannot start: {said}; allowed: settings of devices that"
        " this machine has (JAX_PLATFORMS=cpu always works)"
    )
