"""A program on a platform: the form it is traced in, its precision, the compiler's options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from phasegrok.plan.program import Program
from phasegrok.train.rounding import MANTISSA, rounded

__all__ = ["compiler_options", "emulated", "matmul_precision", "suited"]

PRECISION: Final = {"float32": "highest", "tf32": "tensorfloat32", "bfloat16": "bfloat16"}
# JAX's own "bfloat16" is TF32 on a GPU.
GPU_PRECISION: Final = PRECISION | {"bfloat16": "BF16_BF16_F32"}
# Products take the algorithm that a rule gives, not the one that was fastest when it was tried, and
# nothing is added up by atomics. So a program that is compiled again gives the same bits.
GPU_OPTIONS: Final[Mapping[str, Any]] = MappingProxyType({"xla_gpu_deterministic_ops": True})


def suited(program: Program, platform: str) -> Program:
    """The program in the form that a platform is given: rounding apart it trains the same.

    Where a CPU emulates an accelerator's products, it takes the accelerator's.
    """
    return replace(
        program,
        accelerated=platform != "cpu" or program.precision in MANTISSA,
        # A folder that was begun with the kernel may go on where there is none.
        kernel=program.kernel if platform == "gpu" else "plain",
    )


def matmul_precision(program: Program, platform: str) -> str:
    """The name by which JAX knows the program's precision."""
    return (GPU_PRECISION if platform == "gpu" else PRECISION)[program.precision]


def emulated(program: Program, platform: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with its products rounded as the program's precision says, where the platform
    has no such products."""
    bits = MANTISSA.get(program.precision)
    return function if bits is None or platform != "cpu" else rounded(function, bits)


def compiler_options(platform: str) -> dict[str, Any]:
    """What XLA is told when it compiles."""
    return dict(GPU_OPTIONS) if platform == "gpu" else {}
