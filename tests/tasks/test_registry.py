"""Every task of a sweep file has a builder, and what it builds is a task."""

from __future__ import annotations

import ast
from pathlib import Path

import jax
import numpy as np
import pytest

from phasegrok import tasks
from phasegrok.config import TASKS as BLOCKS
from phasegrok.tasks.base import TASKS

FOLDER = Path(tasks.__file__).parent


@pytest.mark.parametrize("kind", BLOCKS)
def test_every_kind_is_a_task(kind: str) -> None:
    """It has a table of its size, inputs that a model can be given, and is built once."""
    block = BLOCKS[kind]
    assert block in TASKS
    task = tasks.build(block())
    assert tasks.build(block()) is task and task.config == block()
    assert (task.tokens is None) == (task.features is not None) == (not block.has_tokens)
    assert (task.outputs == 1) == block.one_output
    key = jax.random.key(0)
    table = jax.eval_shape(lambda: task.table(key, key))
    assert table.label.shape == table.corrupted_label.shape == (task.size.total,)
    assert table.label.dtype == table.corrupted_label.dtype == np.int32
    given = jax.eval_shape(task.look_up, table.inputs)
    assert given.shape == (task.size.total, task.features or 2)
    assert (task.group_order() is not None) == block.has_tokens
    assert len(task.input_names) >= 1


@pytest.mark.parametrize("kind", [kind for kind in BLOCKS if BLOCKS[kind].flips_labels])
def test_a_flipped_label_is_the_other_one(kind: str) -> None:
    task = tasks.build(BLOCKS[kind]())
    table = task.table(jax.random.key(0), jax.random.key(1))
    np.testing.assert_array_equal(table.corrupted_label, 1 - table.label)


def test_a_block_has_one_builder() -> None:
    with pytest.raises(AssertionError, match="Modular has two builders"):
        TASKS.register(BLOCKS["modular"])(lambda config: tasks.build(config))


def test_no_task_is_named_outside_its_file() -> None:
    """A block's class is imported where its task, or its known solution, is built; a task's class
    nowhere at all."""
    blocks = {block.__name__ for block in BLOCKS.values()}
    made = {TASKS[block].__name__ for block in BLOCKS.values()}
    for file in FOLDER.parent.rglob("*.py"):
        local = file.relative_to(FOLDER.parent)
        names = {
            alias.name
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert not names & made, local
        if local.parts[0] != "config":
            allowed = file.parent == FOLDER or local.parts[:2] == ("models", "known")
            assert not names & blocks or (allowed and len(names & blocks) == 1), local
