"""Measurements inside the networks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phasegrok.config.fields import Block

__all__ = [
    "MEASURE_NOTHING",
    "NEEDS_NEURONS",
    "NEEDS_TOKENS",
    "Measure",
    "Needs",
    "PruningOrder",
    "keys_that_need",
]


class Needs:
    """Marks a key of ``measure:`` that not every network can be asked for."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __repr__(self) -> str:
        return f"NEEDS_{self.what.upper()}"


NEEDS_TOKENS = Needs("tokens")  # refused with tasks whose inputs are no tokens
NEEDS_NEURONS = Needs("neurons")  # refused where the layers of neurons are frozen

PruningOrder = Literal["lowest", "highest", "random"]


class Measure(Block):
    """Measurements inside the networks, at the end of training and at the named steps. They are
    part of what a sweep computes, but they do not change its trainings."""

    spectra: Annotated[
        bool,
        Field(description="table neurons: IPR, frequency, phase and norm of every neuron"),
        NEEDS_TOKENS,
        NEEDS_NEURONS,
    ] = False
    spectral_norms: Annotated[
        bool,
        Field(
            description="columns spectral_NAME of curves and runs: the largest singular value of"
            " every weight matrix"
        ),
        NEEDS_NEURONS,
    ] = False
    correct_logit: Annotated[
        bool,
        Field(
            description="columns train_logit and test_logit of curves and runs: the output at the "
            "label minus the mean of all outputs, averaged over examples; the label of a corrupted "
            "training example is the corrupted one"
        ),
    ] = False
    readout: Annotated[
        bool,
        Field(description="table readout: every weight of the output layer"),
        NEEDS_NEURONS,
    ] = False
    activations: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="table activations: the inputs of the output layer on this many training "
            "examples",
        ),
        NEEDS_NEURONS,
    ] = 0
    pruning: Annotated[
        tuple[PruningOrder, ...],
        Field(description="table pruning: neurons removed one by one, by IPR or at random"),
        NEEDS_TOKENS,
        NEEDS_NEURONS,
    ] = ()
    logits: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="table logits: all outputs on this many corrupted training examples",
        ),
    ] = 0
    rows: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="table rows: weights of this many neurons, from the first on",
        ),
        NEEDS_TOKENS,
        NEEDS_NEURONS,
    ] = 0
    weights: Annotated[
        Literal["none", "final", "all"],
        Field(
            description="files weights/RUN/STEP.npz: final: at the measured "
            "steps; all: at every logged step"
        ),
    ] = "none"
    steps: Annotated[
        tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], ...],
        Field(
            description="logged steps (or epochs, if train counts epochs) to "
            "measure at, besides the last"
        ),
    ] = ()
    ipr_order: Annotated[
        int, Field(ge=2, le=8, description="r in IPR = (|F|_2r / |F|_2)^2r (equation 3)")
    ] = 2
    mean_ipr: Annotated[
        Literal["neurons", "input", "output"],
        Field(
            description="the vectors over which mean_ipr averages: weights of neurons (in networks "
            "of more than two layers: of the input layer's neurons), rows of the input embedding, "
            "or columns of the output layer"
        ),
    ] = "neurons"


MEASURE_NOTHING = Measure()  # nothing but the runs and curves of every sweep


def keys_that_need(what: Needs) -> list[str]:
    """The keys of ``measure:`` with this mark."""
    return [key for key, info in Measure.model_fields.items() if what in info.metadata]
