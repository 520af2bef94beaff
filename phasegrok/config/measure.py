"""What is measured inside the networks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phasegrok.config.fields import Block

PruningOrder = Literal["lowest", "highest", "random"]


class Measure(Block):
    """What is measured inside the networks, at the end of training and at the steps named.
    Part of what a sweep computes; the trainings themselves are the same whatever is measured."""

    spectra: Annotated[
        bool, Field(description="table neurons: IPR, frequency, phase and norm of every neuron")
    ] = False
    spectral_norms: Annotated[
        bool,
        Field(
            description="columns spectral_NAME of curves and runs: the largest singular value of"
            " every weight matrix"
        ),
    ] = False
    correct_logit: Annotated[
        bool,
        Field(
            description="columns train_logit and test_logit of curves and runs: the output at the "
            "label (of training examples the one that is shown) above the mean of all outputs, on "
            "average over examples"
        ),
    ] = False
    readout: Annotated[
        bool, Field(description="table readout: every weight of the output layer")
    ] = False
    activations: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="table activations: what the output layer is given, on so many of the "
            "training examples",
        ),
    ] = 0
    pruning: Annotated[
        tuple[PruningOrder, ...],
        Field(description="table pruning: neurons removed one by one, by IPR or at random"),
    ] = ()
    logits: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="table logits: all outputs on so many corrupted training examples",
        ),
    ] = 0
    rows: Annotated[
        int,
        Field(ge=0, le=10_000, description="table rows: weights of the first so many neurons"),
    ] = 0
    weights: Annotated[
        Literal["none", "final", "all"],
        Field(description="weights/RUN/STEP.npz: at the steps measured, or at every logged step"),
    ] = "none"
    steps: Annotated[
        tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], ...],
        Field(description="logged steps (epochs, where train counts those) besides the last"),
    ] = ()
    ipr_order: Annotated[
        int, Field(ge=2, le=8, description="r in IPR = (|F|_2r / |F|_2)^2r (equation 3)")
    ] = 2
    mean_ipr: Annotated[
        Literal["neurons", "input", "output"],
        Field(
            description="vectors that mean_ipr is over: a neuron's of all layers (of the input "
            "layer, if the network is deeper than two), rows of the input embedding, or columns "
            "of the output layer"
        ),
    ] = "neurons"


MEASURE_NOTHING = Measure()  # beyond what every sweep's runs and curves hold
