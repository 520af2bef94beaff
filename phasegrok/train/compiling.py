"""Compile programs, or take what an earlier process compiled: the same bytes of machine code.

Compiled code is right for one kind of machine only, and XLA decides by more than the program how it
rounds. So what an entry is found by holds everything that could decide it: the program itself, the
versions of JAX and XLA, the processor with its instructions, the devices, all settings of JAX and
all flags of XLA. JAX's own cache on disk writes entries in place, and never mends one that is
damaged; where a user turned it on, it is used all the same.
"""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

import jax
import jaxlib.version

from phasegrok.files.stderr import without_lines
from phasegrok.machine import cores, instruction_set
from phasegrok.train.platform import compiler_options

__all__ = ["Keeps", "executable", "keep_in", "kept_in"]

FORMAT: Final = "1"  # of an entry
# Flags of XLA and of what it calls on accelerators.
FLAGS: Final = ("XLA_", "TF_XLA_", "LIBTPU_", "NVIDIA_TF32", "CUBLAS_", "CUDNN_")
# Settings of JAX that say where it keeps or logs what.
BESIDE_THE_POINT: Final = ("cache", "log", "dump", "traceback")
UNFOUNDED: Final = "cpu_aot_loader"  # where XLA writes such lines
MOST_BYTES: Final = 64 << 20  # of a program: images are constants inside theirs


class Keeps(Protocol):
    """Where compiled programs are kept."""

    def get(self, name: str) -> bytes | None:
        """What was kept under a name, whole, or None."""

    def put(self, name: str, data: bytes) -> None:
        """Keep something, if that is possible."""

    def drop(self, name: str) -> None:
        """Forget something."""


_KEPT: list[Keeps] = []  # at most one


def keep_in(store: Keeps | None) -> None:
    """Keep what is compiled from now on; None for not at all."""
    _KEPT[:] = [store] if store else []


def kept_in() -> Keeps | None:
    """Where compiled programs are kept."""
    return _KEPT[0] if _KEPT else None


def executable(lowered: jax.stages.Lowered, devices: Sequence[jax.Device]) -> tuple[Any, bool]:
    """A lowered program, ready to be called.

    Args:
        lowered: the program.
        devices: on which it runs, in the order of its mesh.

    Returns:
        ``lowered.compile()``, or what another process got of the same; and whether it is that.
    """
    store = kept_in()
    key = key_of(lowered, devices) if store else None
    if store is None or key is None:
        return lowered.compile(), False
    if (data := store.get(key)) is not None:
        try:
            return _from_bytes(data, lowered, devices), True
        # Whatever it is that XLA says against it: there is another way to get the program.
        except Exception:
            store.drop(key)
    compiled = lowered.compile()
    if (data := _to_bytes(compiled)) is not None:
        store.put(key, data)
    return compiled, False


def key_of(lowered: jax.stages.Lowered, devices: Sequence[jax.Device]) -> str | None:
    """What the compiled program is found by: a digest of everything that could decide it."""
    module: Any = lowered.compiler_ir("stablehlo")
    module.operation.write_bytecode(file=(size := io.BytesIO()))
    if size.tell() > MOST_BYTES:
        return None
    digest = hashlib.sha256()
    for part in (*_surroundings(devices), lowered.as_text()):
        digest.update(part.encode(errors="surrogateescape") + b"\0")
    return digest.hexdigest()


def _surroundings(devices: Sequence[jax.Device]) -> Iterator[str]:
    """Everything but the program."""
    client = devices[0].client
    yield from (FORMAT, jax.__version__, jaxlib.version.__version__)
    yield from (instruction_set(), str(cores()), str(os.cpu_count()))
    yield from (client.platform, client.platform_version, str(jax.local_device_count()))
    yield from (f"{device.id} {device.device_kind}" for device in devices)
    yield str(sorted(compiler_options(client.platform).items()))
    yield from (f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith(FLAGS))
    settings: dict[str, Any] = jax.config.values
    for name in sorted(settings):
        if not any(word in name for word in BESIDE_THE_POINT):
            yield f"{name}={settings[name]}"


def _to_bytes(compiled: Any) -> bytes | None:
    """A compiled program; None of one that cannot be kept."""
    from jax.experimental import serialize_executable

    try:
        data, _, _ = serialize_executable.serialize(compiled)
    except Exception:  # a backend that cannot, or constants beside the program
        return None
    packed = zlib.compress(data, 1)
    return packed if len(packed) <= MOST_BYTES else None


def _from_bytes(data: bytes, lowered: jax.stages.Lowered, devices: Sequence[jax.Device]) -> Any:
    """What :func:`_to_bytes` was given. Whoever can write the bytes can run code."""
    from jax.experimental import serialize_executable

    arguments = jax.tree.structure(lowered.args_info)
    # On some processors XLA takes its own preferences for instructions that are missing, and says
    # so in lines of a kilobyte.
    with without_lines(UNFOUNDED):
        return serialize_executable.deserialize_and_load(
            zlib.decompress(data),
            arguments,
            lowered.out_tree,
            backend=devices[0].client,
            execution_devices=devices,
        )
