"""Every model of a sweep file has a builder, and what it builds is a model."""

from __future__ import annotations

import ast
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from phasegrok import models
from phasegrok.config import MODELS as BLOCKS
from phasegrok.config import TASKS, Modular
from phasegrok.models.base import DropoutSpec, Model, Pass
from phasegrok.models.known.base import SOLUTIONS
from phasegrok.models.registry import MODELS

FOLDER = Path(models.__file__).parent
TASK = Modular(modulus=5)
ROWS = 6
# Families that are nothing without trained networks, whose own tests hold them to the protocol.
FROM_FILES = [kind for kind in BLOCKS if not BLOCKS[kind].has_neurons]


def test_every_kind_has_a_builder() -> None:
    assert all(block in MODELS for block in BLOCKS.values())


@pytest.mark.parametrize("kind", [kind for kind in BLOCKS if kind not in FROM_FILES])
def test_every_kind_is_a_model(kind: str) -> None:
    """Shapes of all that the engine, the measurements and the planner ask."""
    block = BLOCKS[kind]()
    model = models.build(block, TASK)
    assert models.build(block, TASK) is model
    key, scalar = jax.random.key(0), jnp.ones(())
    params, state = jax.eval_shape(
        lambda: model.begin(key, {"model.init_scale": scalar, "model.dropout": scalar})
    )
    check_passes(model, params, state)
    weights = jax.eval_shape(model.output_weights, params)
    assert weights.shape[1] == TASK.modulus
    assert all(jax.tree.leaves(each) for each in model.matrices(params).values())
    check_vectors(model, params)
    assert model.flops_per_row() > 0 and model.numbers_per_row() > 0
    assert model.run_records() == {} and model.fingerprint() is None


def check_passes(model: Model, params: models.Params, state: models.ModelState) -> None:
    """Outputs and what they are a product of, in evaluation and in training with dropout; the
    state keeps its shapes."""
    inputs, rows = jnp.zeros((ROWS, 2), jnp.int32), jnp.arange(ROWS, dtype=jnp.int32)
    spec = DropoutSpec(jax.random.key(1), jnp.float32(0.1))
    for batch in (Pass(inputs, rows), Pass(inputs, rows, jnp.ones(ROWS), spec)):
        out, after = jax.eval_shape(lambda p, s, b=batch: model.apply(p, s, b), params, state)
        hidden, _ = jax.eval_shape(lambda p, s, b=batch: model.penultimate(p, s, b), params, state)
        width = jax.eval_shape(model.output_weights, params).shape[0]
        assert out.shape == (ROWS, TASK.modulus) and hidden.shape == (ROWS, width)
        assert jax.tree.structure(after) == jax.tree.structure(state)


def check_vectors(model: Model, params: models.Params) -> None:
    """Every vector is over the tokens, and normalization belongs to a layer of them."""
    found = jax.eval_shape(lambda p: model.vectors(p).layers(), params)
    assert found
    for matrices in found.values():
        assert all(vectors.shape[1] == TASK.modulus for vectors in matrices.values())
    assert set(jax.eval_shape(model.normalization_weights, params)) <= set(found)


@pytest.mark.parametrize("kind", [k for k, block in TASKS.items() if "solved_by" in vars(block)])
def test_every_known_solution_has_weights(kind: str) -> None:
    """And only the tasks that say so: weights fit the network that the block allows."""
    block = TASKS[kind]()
    allowed = {path: values[0] for path, values in block.solved_by().items()}
    config = {p.removeprefix("model."): v for p, v in allowed.items() if p.startswith("model.")}
    shapes = []
    for initialization in ("analytic", "paper"):
        network = BLOCKS["mlp"](**config, initialization=initialization)
        model = models.build(network, block)
        params, _ = jax.eval_shape(model.init, jax.random.key(0), jnp.ones(()))
        shapes.append(jax.tree.map(jnp.shape, params))
    assert shapes[0] == shapes[1]


def test_solutions_are_of_the_tasks_that_say_so() -> None:
    for block in TASKS.values():
        assert (block in SOLUTIONS) == ("solved_by" in vars(block))


def imported(file: Path) -> set[str]:
    """Names that a file imports from elsewhere."""
    return {
        alias.name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_no_family_is_named_outside_its_file() -> None:
    """A block's class is imported where its model is built, and a model's class nowhere at all."""
    blocks = {block.__name__ for block in BLOCKS.values()}
    made = {MODELS[block].__name__ for block in BLOCKS.values()}
    for file in FOLDER.parent.rglob("*.py"):
        names, local = imported(file), file.relative_to(FOLDER.parent)
        assert not names & made, local
        if local.parts[0] != "config":
            allowed = {file.stem.title()} if file.is_relative_to(FOLDER) else set()
            assert names & blocks <= allowed, local
