"""A mixture of two frozen networks ("Towards Understanding the Mystery behind Grokking Phenomenon
via Model and Training Efficiency", the efficiency study, section 5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp

from phasegrok.config import Mixture, shrinks, value_at
from phasegrok.config.identity import without_file_paths
from phasegrok.config.run_record import About
from phasegrok.errors import Refusal
from phasegrok.models.base import Model, ModelState, Params, Pass, Vectors
from phasegrok.models.frozen import saved
from phasegrok.tasks import Task

__all__ = ["PARTS", "Frozen", "MixtureModel"]

PARTS: Final = ("memorizing", "generalizing")


class Frozen(NamedTuple):
    """A trained network that is trained no more."""

    model: Model
    params: Params
    model_state: ModelState
    about: About
    fingerprint: str


def freeze(path: str, task: Task, task_config: Any, build: Callable[[Any, Any], Model]) -> Frozen:
    """The network in a file, shaped for ``task``.

    Args:
        path: ``weights/RUN/STEP.npz``.
        task: that the network was trained on.
        task_config: its configuration.
        build: the model of a model's and a task's configuration.

    Raises:
        Refusal: the file cannot be used; the message says why, the key apart.
    """
    about, arrays = network = saved.load(path)
    if about.experiment.model.kind == "mixture":
        raise Refusal(f"{path}: found a mixture; allowed: a network that is none itself")
    if shrinks(about.experiment):
        raise Refusal(
            f"{path}: found a run with event.set {value_at(about.experiment, 'event.set')};"
            " allowed: one training set from the first step to the last"
        )
    theirs, ours = without_file_paths(about.experiment.task), without_file_paths(task_config)
    data = task.fingerprint()
    if theirs != ours or about.data != (() if data is None else (data,)):
        same = " on other data" if theirs == ours else ""
        raise Refusal(
            f"{path}: found a network trained on {_words(theirs)}{same}; allowed:"
            f" {_words(ours)}, this sweep's task"
        )
    model = build(about.experiment.model, task_config)
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.ones(())))
    try:
        params, model_state = saved.restored(shapes, arrays)
    except Refusal as refusal:
        raise Refusal(f"{path}: {refusal}") from None
    return Frozen(model, params, model_state, about, network.fingerprint())


def _words(task: Mapping[str, Any]) -> str:
    return f"{{{', '.join(f'{name}: {value}' for name, value in task.items())}}}"


class MixtureModel:
    """The :class:`~phasegrok.models.base.Model` of w_m1 w_m2 C_mem + w_g1 w_g2 C_gen.

    What is trained are the four factors. The frozen weights are its model state: constants
    of every run, which no step changes.
    """

    whole_batch = False

    def __init__(
        self, config: Mixture, task: Task, task_config: Any, build: Callable[[Any, Any], Model]
    ) -> None:
        self.outputs = task.outputs
        self.frozen: dict[str, Frozen] = {}
        for part in PARTS:
            try:
                self.frozen[part] = freeze(getattr(config, part), task, task_config, build)
            except Refusal as refusal:
                raise Refusal(f"model.{part}: {refusal}") from None

    def init(self, key: jax.Array, scale: jax.Array) -> tuple[Params, ModelState]:
        return self.begin(dict.fromkeys(PARTS, scale))

    def begin(self, scales: Mapping[str, jax.Array]) -> tuple[Params, ModelState]:
        """w_m1 = w_g1 = 0, and w_m2 and w_g2 as given by part: nothing is drawn."""
        params = {
            part: {"first": jnp.zeros(()), "second": jnp.asarray(scales[part], jnp.float32)}
            for part in PARTS
        }
        model_state = {
            part: {"params": frozen.params, "rest": frozen.model_state}
            for part, frozen in self.frozen.items()
        }
        return params, jax.tree.map(jnp.asarray, model_state)

    def apply(
        self, params: Params, model_state: ModelState, batch: Pass
    ) -> tuple[jax.Array, ModelState]:
        outputs = self._outputs(model_state, batch)
        weights = self.matrices(params)
        return sum(weights[part] * outputs[part] for part in PARTS), model_state

    def matrices(self, params: Params) -> dict[str, Params]:
        """The two networks' weights, numbers: w_m1 w_m2 and w_g1 w_g2."""
        return {part: params[part]["first"] * params[part]["second"] for part in PARTS}

    def penultimate(
        self, params: Params, model_state: ModelState, batch: Pass
    ) -> tuple[jax.Array, ModelState]:
        """Both networks' outputs, (rows, 2 outputs)."""
        outputs = self._outputs(model_state, batch)
        return jnp.concatenate([outputs[part] for part in PARTS], axis=-1), model_state

    def output_weights(self, params: Params) -> jax.Array:
        weights = self.matrices(params)
        return jnp.concatenate([weights[part] * jnp.eye(self.outputs) for part in PARTS])

    def _outputs(self, model_state: ModelState, batch: Pass) -> dict[str, jax.Array]:
        """(rows, outputs) of each, always in evaluation: no dropout, running statistics."""
        evaluation = Pass(batch.inputs, batch.rows)
        return {
            part: frozen.model.apply(
                model_state[part]["params"], model_state[part]["rest"], evaluation
            )[0]
            for part, frozen in self.frozen.items()
        }

    def vectors(self, params: Params) -> Vectors:
        return Vectors({}, {}, joined=True)  # what has a spectrum does not change

    def normalization_weights(self, params: Params) -> dict[str, jax.Array]:
        return {}

    def numbers_per_row(self) -> int:
        return max(frozen.model.numbers_per_row() for frozen in self.frozen.values())

    def flops_per_row(self) -> int:
        # Forward alone, a third of a step; the gradient of four numbers costs next to nothing.
        return sum(frozen.model.flops_per_row() for frozen in self.frozen.values()) // 3
