"""Columns that several tables have."""

from __future__ import annotations

from typing import Final

from phasegrok.meanings.base import Meaning

PAPER: Final = "Doshi et al."
THESIS: Final = "thesis"
STUDY: Final = "efficiency study"
SHARE: Final = "share, 0 to 1"

KEYS: Final = {
    "run": Meaning("id of the training: the same training has the same id in every sweep"),
    "seed": Meaning("seed of the examples' order, of corrupted labels and of initial weights"),
}
STEP: Final = {"step": Meaning("optimizer step of the measurement, from 0", "steps")}

# Measured at every logged step: values of `curves`, last ones in `runs`, means in `cells`.
MEASURED: Final = {
    "train_loss": Meaning("mean loss over the training examples, against the labels given", "loss"),
    "test_loss": Meaning("mean loss over the test examples, against their true labels", "loss"),
    "train_accuracy": Meaning(
        "share of the training examples answered with the label given", SHARE
    ),
    "test_accuracy": Meaning("share of the test examples answered with their true label", SHARE),
    "corrupted_accuracy": Meaning(
        "share of the corrupted examples answered with their corrupted label; null without any",
        SHARE,
    ),
    "restored_accuracy": Meaning(
        "share of the corrupted examples answered with their true label; null without any",
        SHARE,
    ),
    "clean_accuracy": Meaning("share of the uncorrupted training examples answered rightly", SHARE),
    "train_logit": Meaning(
        "output at the label given, above the mean of all outputs, on training examples",
        "outputs",
        f"{STUDY}, section 4.2",
    ),
    "test_logit": Meaning(
        "output at the true label, above the mean of all outputs, on test examples",
        "outputs",
        f"{STUDY}, section 4.2",
    ),
    "mean_ipr": Meaning(
        "mean inverse participation ratio of the living neurons, constants included: 1 is one"
        " frequency",
        "1",
        f"{PAPER}, equations 3 and 4",
    ),
    "dead_neurons": Meaning("neurons with a weight vector of norm below 1e-6", "neurons"),
    "constant_neurons": Meaning(
        "living neurons with more than half of their spectrum's power at frequency 0", "neurons"
    ),
    "weight_norm": Meaning("Frobenius norm of all weights together", "weights"),
    "norm_*": Meaning("Frobenius norm of the weight matrix {}", "weights"),
    "spectral_*": Meaning(
        "largest singular value of the weight matrix {}", "weights", f"{THESIS}, section 3"
    ),
}
LABELS: Final = {
    "phase": Meaning("label by Table 2; both Inversions are one", "", f"{PAPER}, Table 2"),
    "subphase": Meaning(
        "label by Table 2, with Partial and Full Inversion apart", "", f"{PAPER}, Table 2"
    ),
    "direct_phase": Meaning(
        "label by corrupted_accuracy: Coexistence from 0.9, Full Inversion up to 0.1"
    ),
}
OF_CURVE: Final = {
    "peak_test_accuracy": Meaning("highest test accuracy at a logged step", SHARE),
    "peak_step": Meaning("step at which the test accuracy was highest, the first of them", "steps"),
    "peak_weight_norm": Meaning(
        "weight norm at the last logged step with a test accuracy of at least 0.9, or at the peak",
        "weights",
    ),
    "memorization_step": Meaning(
        "first logged step with a training accuracy above 0.999; null if never", "steps"
    ),
    "generalization_step": Meaning(
        "first logged step with a test accuracy above 0.999; null if never", "steps"
    ),
    "settled_train_accuracy": Meaning(
        "median training accuracy over the last fifth of the logged steps", SHARE
    ),
    "settled_test_accuracy": Meaning(
        "median test accuracy over the last fifth of the logged steps", SHARE
    ),
    "event_step": Meaning("logged step at which the event came; null if it did not", "steps"),
}
RUN: Final = {
    "n_train": Meaning("training examples at the start: floor(alpha * total)", "examples"),
    "n_corrupted": Meaning("of these, examples whose label is drawn anew", "examples"),
    "status": Meaning("ok, or diverged: a loss that is not finite"),
}
CELL: Final = {
    "seeds": Meaning("runs of the cell", "runs"),
    "diverged": Meaning("runs that diverged, which are in no mean", "runs"),
    "seed_agreement": Meaning("share of the averaged runs that have the cell's subphase", SHARE),
    "inferred": Meaning("true where refinement did not train the cell, and labels it all the same"),
}
SPECTRUM: Final = {
    "ipr_*": Meaning(
        "inverse participation ratio of the neuron's vector in {}",
        "1",
        f"{PAPER}, equation 3",
    ),
    "frequency_*": Meaning("frequency of the largest Fourier component in {}", "periods"),
    "phase_*": Meaning(
        "phi of the component cos(2 pi f i / L + phi) in {}, in (-pi, pi]",
        "rad",
        f"{PAPER}, equation 2",
    ),
    "norm_*": Meaning("Euclidean norm of the neuron's vector in {}", "weights"),
}
NEURON: Final = {
    "layer": Meaning("layer of neurons: hidden; input and output in deeper networks"),
    "neuron": Meaning("number of the neuron in its layer, from 0"),
}
LINE: Final = {
    "along": Meaning("axis of the diagram along which the boundary is crossed"),
    "at": Meaning("value of the diagram's other axis", "of that axis"),
    "below": Meaning("label below the boundary"),
    "above": Meaning("label above the boundary"),
}

INPUTS: Final = {
    "m": Meaning("first number of the example"),
    "n": Meaning("second number of the example"),
    "image": Meaning("number of the image in the data"),
    "x*": Meaning("sign number {} of the example"),
}
