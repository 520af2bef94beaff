"""How a sweep runs."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from phasegrok.config.fields import Block, Count, Positive

# What ``--any-device`` says, as a change of a sweep file.
ANY_DEVICE: Final = "engine.platform=any"


class Engine(Block):
    """How a sweep runs. Only precision changes what it computes."""

    mapping: Literal["auto", "vmap", "map"] = "auto"
    chunk: Literal["auto"] | Count = "auto"
    groups: Annotated[
        Literal["auto", "one"],
        Field(
            description="auto: data fractions form as many programs as is fastest, padding against "
            "compilation; one: one program, padded to the largest"
        ),
    ] = "auto"
    precision: Annotated[
        Literal["float32", "tf32", "bfloat16"],
        Field(
            description="of the inputs of matrix products, whose sums are float32; emulated on CPUs"
        ),
    ] = "float32"
    kernel: Annotated[
        Literal["plain", "fused"],
        Field(
            description="fused: on a GPU the default network's gradient is taken by a hand-written "
            "kernel, which holds no activations in memory"
        ),
    ] = "plain"
    platform: Annotated[
        Literal["auto", "any", "cpu", "gpu", "tpu"],
        Field(
            description="refuse to start on anything else; auto: what JAX finds, and a folder that "
            "was begun on an accelerator goes on on one of its kind; any: on whatever there is"
        ),
    ] = "auto"
    checkpoint_every: Annotated[
        Positive, Field(description="most seconds of training that a crash may cost")
    ] = 60.0
    keep_state: Annotated[
        bool,
        Field(description="keep what more `train.steps` can go on from, later and with `--reuse`"),
    ] = False
    # Nothing that results hang on: it is in no manifest. A relative path could lie beside a file
    # that came from elsewhere, and compiled code is code.
    compilation_cache: Annotated[
        Literal["auto", "off"] | Annotated[str, Field(pattern=r"^(~|[A-Za-z]:)?[/\\]")],
        Field(
            exclude=True,
            description="where compiled programs are kept: `auto` is the user's cache folder",
        ),
    ] = "auto"
