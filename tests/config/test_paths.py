"""Dotted paths of config fields, and what stands there."""

from __future__ import annotations

import pytest

from phasegrok.config import (
    PATHS,
    Adam,
    AtStep,
    Experiment,
    Memorized,
    Parity,
    Transformer,
    column,
    fields,
    has,
    is_traced,
    leaves,
    shrinks,
    traced_paths,
    value_at,
    without_traced,
)


def test_every_path_has_a_column_of_its_own_in_every_experiment() -> None:
    """Kinds may share a column; the keys of one experiment may not."""
    experiments = [
        Experiment(),
        Experiment(task=Parity(), event=AtStep()),
        Experiment(model=Transformer(), optimizer=Adam(), event=Memorized()),
    ]
    for experiment in experiments:
        columns = [column(path) for path in PATHS if has(experiment, path)]
        assert len(set(columns)) == len(columns)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("loss", "loss"),
        ("task.kind", "task"),
        ("event.kind", "event"),
        ("event.value", "event_value"),
        ("event.at_step", "event_at_step"),
        ("optimizer.weight_decay", "weight_decay"),
    ],
)
def test_columns(path: str, name: str) -> None:
    """Names of columns are a contract with whoever reads the tables."""
    assert column(path) == name


def test_a_path_is_declared_once_for_every_kind_that_has_it() -> None:
    """Traced is the same for all of them, as is_traced() looks at the first alone."""
    assert dict(fields()) == PATHS
    assert len(PATHS["optimizer.learning_rate"]) == 3
    for path, declared in PATHS.items():
        marks = {"TRACED" in map(repr, info.metadata) for info in declared}
        assert marks == {is_traced(path)}, path


def test_has_and_value_at_know_the_experiments_kinds() -> None:
    adam = Experiment(optimizer=Adam(weight_decay=2.0))
    assert has(adam, "optimizer.weight_decay") and value_at(adam, "optimizer.weight_decay") == 2
    assert not has(adam, "optimizer.momentum") and value_at(adam, "optimizer.momentum") is None
    assert has(adam, "loss") and value_at(adam, "loss") == "mse"
    assert has(adam, "data.data_fraction")
    assert not has(Experiment(task=Parity()), "data.data_fraction")


def test_leaves_are_those_of_any_of_the_kinds() -> None:
    assert leaves("event", ["none"]) == {"kind"}
    assert leaves("event", ["none", "at_step"]) == {"kind", "at_step", "set", "value"}
    assert leaves("data", [None]) == {"data_fraction", "corruption_fraction"}
    assert leaves("event", ["later"]) == set()


def test_traced_values_are_all_that_runs_of_a_program_differ_in() -> None:
    """Emptied, two experiments that differ in them alone are equal."""
    one, two = (Experiment(optimizer=Adam(learning_rate=rate)) for rate in (0.1, 0.2))
    assert one != two and without_traced(one) == without_traced(two)
    assert without_traced(one) != without_traced(Experiment())
    assert "optimizer.beta1" in traced_paths(one) and "data.data_fraction" not in traced_paths(one)


@pytest.mark.parametrize(
    ("event", "result"),
    [
        (AtStep(set="data.data_fraction", value=0.2), True),
        (Memorized(set="optimizer.weight_decay"), False),
    ],
)
def test_shrinks(event: AtStep | Memorized, result: bool) -> None:
    assert shrinks(Experiment(event=event)) is result
