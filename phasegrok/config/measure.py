"""Measurements inside the networks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from phasegrok.config.fields import Block

PruningOrder = Literal["lowest", "highest", "random"]


class Measure(Block):
    """Measurements inside the networks, at the end of training and at the named steps. They are
    part of what a sweep computes, but they do not change its trainings."""

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
            "label minus the mean of all outputs, averaged over examples; the label of a corrupted "
            "training example is the corrupted one"
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
            description="table activations: the inputs of the output layer on this many training "
            "examples",
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

    @property
    def finds(self) -> bool:
        """Whether any table of findings was asked for."""
        tables = (
            self.spectra,
            self.readout,
            self.activations,
            self.pruning,
            self.logits,
            self.rows,
        )
        return any(tables)


MEASURE_NOTHING = Measure()  # nothing but the runs and curves of every sweep
