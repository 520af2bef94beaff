"""The tables, and the columns that each of them has."""

from __future__ import annotations

from typing import Final

from phasegrok.meanings.base import About, Meaning, said
from phasegrok.meanings.columns import (
    CELL,
    KEYS,
    LABELS,
    LINE,
    MEASURED,
    NEURON,
    OF_CURVE,
    PAPER,
    RUN,
    SHARE,
    SPECTRUM,
    STEP,
)

LAST: Final = "at the last step"
MEAN: Final = "the mean over the seeds"

TABLES: Final[dict[str, About]] = {
    "runs": About(
        "training, a cell and a seed",
        KEYS | RUN | said(MEASURED, LAST) | OF_CURVE | LABELS,
    ),
    "curves": About("training and logged step", KEYS | STEP | MEASURED),
    "cells": About(
        "cell: one value for every swept axis",
        CELL | said(MEASURED | OF_CURVE, MEAN) | LABELS,
        one_file=True,
    ),
    "boundaries": About(
        "place where two labels meet, in every line of every slice",
        LINE
        | {
            "position": Meaning("midway between two neighbouring cells", "of the axis along"),
            "half_width": Meaning("half of their distance", "of the axis along"),
            "seeds": Meaning("seeds trained on the line", "runs"),
            "fit": Meaning(
                "where half of the seeds are above: a logistic fit", "of the axis along"
            ),
            "fit_low": Meaning("lower end of the fit's 95 % interval", "of the axis along"),
            "fit_high": Meaning("upper end of the fit's 95 % interval", "of the axis along"),
        },
        one_file=True,
    ),
    "labels_by_step": About(
        "cell and logged step; written by `phasegrok timeline`",
        STEP | LABELS | {"seed_agreement": CELL["seed_agreement"]},
        one_file=True,
    ),
    "comparison": About(
        "cell that is in both of two sweeps; written by `phasegrok compare A B --output DIR`",
        {
            "train_accuracy": Meaning("training accuracy of B minus that of A", "share, -1 to 1"),
            "test_accuracy": Meaning("test accuracy of B minus that of A", "share, -1 to 1"),
            "same": Meaning("whether both have the same label"),
            **{
                f"{name}_{side}": Meaning(f"{name} of sweep {side.upper()}")
                for name in LABELS
                for side in "ab"
            },
        },
        one_file=True,
    ),
    "boundary_shifts": About(
        "boundary that both of two sweeps have; written by `phasegrok compare A B --output DIR`",
        LINE
        | {
            "shift": Meaning("position in B minus position in A", "of the axis along"),
            "half_width": Meaning("the sum of both half widths", "of the axis along"),
            "fit_shift": Meaning("fit in B minus fit in A", "of the axis along"),
            "fit_low": Meaning("lower end of its 95 % interval", "of the axis along"),
            "fit_high": Meaning("upper end of its 95 % interval", "of the axis along"),
        },
        one_file=True,
    ),
    "neurons": About(
        "neuron",
        KEYS
        | STEP
        | NEURON
        | {
            "ipr": Meaning(
                "mean of the IPR of its vectors; null where dead", "1", f"{PAPER}, equation 4"
            ),
            "dead": Meaning("whether one of its vectors has a norm below 1e-6"),
            "frequency": Meaning(
                "of the largest component of all its vectors together; 0 is their mean", "periods"
            ),
        }
        | SPECTRUM
        | {
            "normalization_weight": Meaning(
                "learned scale of the neuron in its normalization", "weights"
            )
        },
        key="spectra",
    ),
    "pruning": About(
        "number of neurons removed",
        KEYS
        | STEP
        | {
            "order": Meaning("which neurons go first: lowest or highest IPR, or random"),
            "pruned": Meaning("neurons removed from the last hidden layer", "neurons"),
        }
        | {name: MEASURED[name] for name in list(MEASURED)[:7]}
        | {"true_accuracy": Meaning("share of all examples answered with their true label", SHARE)},
        key="pruning",
    ),
    "logits": About(
        "output on a corrupted training example whose label is wrong",
        KEYS
        | STEP
        | {
            "example": Meaning("number of the example among those looked at, from 0"),
            "true_label": Meaning("label of the task"),
            "corrupted_label": Meaning("label that the network was given"),
            "output": Meaning("number of the output, from 0"),
            "mark": Meaning("whether the output is the true label's, the corrupted one's or other"),
            "logit": Meaning("value of the output", "outputs"),
        },
        key="logits",
    ),
    "rows": About(
        "weight of one of the first neurons",
        KEYS
        | STEP
        | NEURON
        | {
            "matrix": Meaning("weight matrix, by the model's name for it"),
            "token": Meaning("token whose weight it is, from 0"),
            "weight": Meaning("value of the weight", "weights"),
        },
        key="rows",
    ),
    "readout": About(
        "weight of the output layer",
        KEYS
        | STEP
        | {
            "neuron": NEURON["neuron"],
            "output": Meaning("number of the output, from 0"),
            "weight": Meaning("value of the weight", "weights"),
        },
        key="readout",
    ),
    "activations": About(
        "neuron of the last hidden layer on a training example",
        KEYS
        | STEP
        | {
            "example": Meaning("number of the example in the seed's order, from 0"),
            "true_label": Meaning("label of the task"),
            "shown_label": Meaning("label that the network was given"),
            "neuron": NEURON["neuron"],
            "activation": Meaning("what the output layer is given", "activations"),
        },
        key="activations",
    ),
}
