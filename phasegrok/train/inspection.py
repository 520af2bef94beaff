"""A look inside a trained network: spectra, pruning curves, logits, weight rows.

Pure, like the step, and mapped over runs in the same way. What is returned is a flat dict of
arrays whose names say where they go: ``TABLE.GROUP.COLUMN``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp

from phasegrok import models, tasks
from phasegrok.measure import pruning, spectrum
from phasegrok.plan.program import Program, RunParams
from phasegrok.train.losses import column_losses
from phasegrok.train.step import (
    PRUNING,
    State,
    init,
    make_table,
    parts,
    run_params_shapes,
    seed_key,
    shown_labels,
)

Findings = dict[str, jax.Array]


def inspect(program: Program, state: State, table: tasks.Table) -> Findings:
    """Everything that ``measure:`` asks for of one network as it is now, without dropout."""
    wanted = program.measure
    found: Findings = {}
    if wanted.spectra:
        found |= _named("neurons", _spectra(program, state))
    if wanted.pruning:
        found |= _named("pruning", _pruning(program, state, table))
    if wanted.logits:
        found |= _named("logits", _logits(program, state, table))
    if wanted.rows:
        found |= _named("rows", _rows(program, state))
    if wanted.readout:
        weights = models.of(program.experiment).output_weights(state.params)
        found |= {"readout.output.weight": weights}
    if wanted.activations:
        found |= _named("activations", _activations(program, state, table))
    return found


def names(program: Program) -> list[str]:
    """The names that :func:`inspect` will return, without computing anything."""

    def findings(run: RunParams) -> Findings:
        return inspect(program, init(program, run), make_table(program, run))

    return list(jax.eval_shape(findings, run_params_shapes(program)))


def _named(table: str, groups: Iterator[tuple[str, Findings]]) -> Findings:
    return {f"{table}.{group}.{k}": v for group, columns in groups for k, v in columns.items()}


def _rows(program: Program, state: State) -> Iterator[tuple[str, Findings]]:
    """Every layer's first weight vectors, (rows, tokens) a matrix."""
    vectors = models.of(program.experiment).vectors(state.params)
    for layer, matrices in vectors.layers().items():
        yield layer, {name: matrix[: program.measure.rows] for name, matrix in matrices.items()}


def _spectra(program: Program, state: State) -> Iterator[tuple[str, Findings]]:
    """Every layer's neurons: (neurons,) a column."""
    experiment = program.experiment
    model = models.of(experiment)
    basis = spectrum.task_basis(tasks.of(experiment))
    assert basis is not None, "sweeps are checked: spectra are of tokens"
    scales = model.normalization_weights(state.params)
    for layer, matrices in model.vectors(state.params).layers().items():
        columns = spectrum.neurons(matrices, basis, program.measure.ipr_order)
        if layer in scales:
            columns["normalization_weight"] = scales[layer]
        yield layer, columns


def _pruning(program: Program, state: State, table: tasks.Table) -> Iterator[tuple[str, Findings]]:
    """Every order's curve: (neurons + 1,) a column, counted in neurons removed.

    The neurons are those of the last hidden layer, whose removal is a rank-one change.
    """
    experiment, run = program.experiment, state.run
    task, model = tasks.of(experiment), models.of(experiment)
    row = jnp.arange(table.label.shape[0], dtype=jnp.int32)
    examples = pruning.Examples(
        row, table.inputs, table.label, shown_labels(table, run), parts(row, run, task.size)
    )
    counts = jnp.sum(examples.parts, axis=0)

    def features(some: pruning.Examples) -> jax.Array:
        return model.penultimate(
            state.params, state.model_state, models.Pass(task.look_up(some.inputs), some.row)
        )[0]

    *_, last = model.vectors(state.params).layers().values()
    basis = spectrum.task_basis(task)
    assert basis is not None, "sweeps are checked: spectra are of tokens"
    ipr, dead = spectrum.neuron_ipr(last, basis, program.measure.ipr_order)
    for order in program.measure.pruning:
        removal = pruning.removal_order(order, ipr, dead, seed_key(run, PRUNING))
        sums = pruning.curve(
            partial(column_losses, experiment.loss),
            features,
            model.output_weights(state.params),
            removal,
            examples,
        )
        train, test, corrupted, clean = (sums[:, i] / counts[i] for i in range(4))
        yield (
            order,
            {
                "train_loss": train[:, 0],
                "test_loss": test[:, 0],
                "train_accuracy": train[:, 1],
                "test_accuracy": test[:, 2],
                "corrupted_accuracy": corrupted[:, 1],
                "restored_accuracy": corrupted[:, 2],
                "clean_accuracy": clean[:, 2],
                "true_accuracy": (sums[:, 0, 2] + sums[:, 1, 2]) / (counts[0] + counts[1]),
                # What the shares are of; no columns.
                "n_train": run.n_train,
                "n_corrupted": run.n_corrupted,
            },
        )


def _activations(
    program: Program, state: State, table: tasks.Table
) -> Iterator[tuple[str, Findings]]:
    """The first training examples, and what the output layer is given for them."""
    experiment, wanted = program.experiment, program.measure.activations
    row = jnp.arange(min(wanted, table.label.shape[0]), dtype=jnp.int32)
    inputs = table.inputs[row]
    batch = models.Pass(tasks.of(experiment).look_up(inputs), row)
    features, _ = models.of(experiment).penultimate(state.params, state.model_state, batch)
    yield (
        "example",
        {
            "trains": row < state.run.n_train,
            "inputs": inputs,
            "true_label": table.label[row],
            "shown_label": shown_labels(table, state.run)[row],
            "activation": features,
        },
    )


def _logits(program: Program, state: State, table: tasks.Table) -> Iterator[tuple[str, Findings]]:
    """The first examples whose shown label is wrong, and all outputs on them."""
    experiment, wanted = program.experiment, program.measure.logits
    model = models.of(experiment)
    row = jnp.arange(table.label.shape[0], dtype=jnp.int32)
    wrong = (row < state.run.n_corrupted) & (table.corrupted_label != table.label)
    chosen = jnp.argsort(~wrong, stable=True)[:wanted]
    examples = models.Pass(tasks.of(experiment).look_up(table.inputs[chosen]), chosen)
    outputs, _ = model.apply(state.params, state.model_state, examples)
    yield (
        "example",
        {
            "row": chosen,
            "wrong": wrong[chosen],
            "inputs": table.inputs[chosen],
            "true_label": table.label[chosen],
            "corrupted_label": table.corrupted_label[chosen],
            "outputs": outputs,
        },
    )
