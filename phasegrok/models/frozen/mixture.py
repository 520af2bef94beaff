"""A mixture of two frozen networks ("Towards Understanding the Mystery behind Grokking Phenomenon
via Model and Training Efficiency", the efficiency study, section 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp

from phasegrok.config import Mixture, shrinks, value_at
from phasegrok.config.identity import without_file_paths
from phasegrok.config.run_record import RunRecord
from phasegrok.errors import Refusal
from phasegrok.models.base import Model, ModelState, Params, Pass
from phasegrok.models.frozen import saved
from phasegrok.models.registry import MODELS, build
from phasegrok.tasks import Task

__all__ = ["NETWORKS", "Frozen", "MixtureModel", "freeze", "read"]

NETWORKS: Final = ("memorizing", "generalizing")


class Frozen(NamedTuple):
    """A trained network that is trained no more."""

    model: Model
    params: Params
    model_state: ModelState
    record: RunRecord
    fingerprint: str


def freeze(path: str, task: Task) -> Frozen:
    """The network in a file.

    Args:
        path: ``weights/RUN/STEP.npz``.
        task: that the network must have been trained on.

    Raises:
        Refusal: the file cannot be used; the message says why and leaves the key out.
    """
    _check_suits(path, saved.record(path), task)
    return read(path)


def read(path: str) -> Frozen:
    """The network in a file, whatever it was trained on.

    Raises:
        Refusal: the file or the record beside it cannot be used.
    """
    record = saved.record(path)
    model = build(record.experiment.model, record.experiment.task)
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.ones(())))
    arrays = saved.arrays(path, saved.size_of(shapes))
    try:
        params, model_state = saved.restored(shapes, arrays)
    except Refusal as refusal:
        raise Refusal(f"{path}: {refusal}") from None
    return Frozen(model, params, model_state, record, saved.fingerprint(record, arrays))


def _check_suits(path: str, record: RunRecord, task: Task) -> None:
    """Refuse a network of a run that trained on something else than ``task``, or on a training set
    that shrank, and a network that is itself a mixture."""
    if isinstance(record.experiment.model, Mixture):
        raise Refusal(f"{path}: found a mixture; allowed: a network that is none itself")
    if shrinks(record.experiment):
        raise Refusal(
            f"{path}: found a run with event.set {value_at(record.experiment, 'event.set')};"
            " allowed: one training set from the first step to the last"
        )
    theirs, ours = without_file_paths(record.experiment.task), without_file_paths(task.config)
    data = task.fingerprint()
    if theirs != ours or record.data != (() if data is None else (data,)):
        same = " on other data" if theirs == ours else ""
        raise Refusal(
            f"{path}: found a network trained on {_task_text(theirs)}{same}; allowed:"
            f" {_task_text(ours)}, this sweep's task"
        )


def _task_text(task: Mapping[str, Any]) -> str:
    return f"{{{', '.join(f'{name}: {value}' for name, value in task.items())}}}"


@MODELS.register(Mixture)
class MixtureModel(Model):
    """w_m1 w_m2 C_mem + w_g1 w_g2 C_gen.

    Only the four factors are trained. The frozen weights are the model state, which no step
    changes.
    """

    def __init__(self, config: Mixture, task: Task) -> None:
        self.outputs = task.outputs
        self.frozen: dict[str, Frozen] = {}
        for name in NETWORKS:
            try:
                self.frozen[name] = freeze(getattr(config, name), task)
            except Refusal as refusal:
                raise Refusal(f"model.{name}: {refusal}") from None

    def begin(self, key: jax.Array, values: Mapping[str, jax.Array]) -> tuple[Params, ModelState]:
        """w_m2 and w_g2 are the run's scales; nothing is drawn."""
        return self._begin({name: values[f"model.{name}_scale"] for name in NETWORKS})

    def init(self, key: jax.Array, scale: jax.Array) -> tuple[Params, ModelState]:
        return self._begin(dict.fromkeys(NETWORKS, scale))

    def _begin(self, scales: Mapping[str, jax.Array]) -> tuple[Params, ModelState]:
        """w_m1 = w_g1 = 0, and w_m2 and w_g2 as given, by network."""
        params = {
            name: {"first": jnp.zeros(()), "second": jnp.asarray(scales[name], jnp.float32)}
            for name in NETWORKS
        }
        model_state = {
            name: {"params": frozen.params, "rest": frozen.model_state}
            for name, frozen in self.frozen.items()
        }
        return params, jax.tree.map(jnp.asarray, model_state)

    def apply(
        self, params: Params, model_state: ModelState, batch: Pass
    ) -> tuple[jax.Array, ModelState]:
        outputs = self._outputs(model_state, batch)
        weights = self.matrices(params)
        return sum(weights[name] * outputs[name] for name in NETWORKS), model_state

    def matrices(self, params: Params) -> dict[str, Params]:
        """The two networks' weights, numbers: w_m1 w_m2 and w_g1 w_g2."""
        return {name: params[name]["first"] * params[name]["second"] for name in NETWORKS}

    def penultimate(
        self, params: Params, model_state: ModelState, batch: Pass
    ) -> tuple[jax.Array, ModelState]:
        """Both networks' outputs, (rows, 2 outputs)."""
        outputs = self._outputs(model_state, batch)
        return jnp.concatenate([outputs[name] for name in NETWORKS], axis=-1), model_state

    def output_weights(self, params: Params) -> jax.Array:
        weights = self.matrices(params)
        return jnp.concatenate([weights[name] * jnp.eye(self.outputs) for name in NETWORKS])

    def _outputs(self, model_state: ModelState, batch: Pass) -> dict[str, jax.Array]:
        """(rows, outputs) of each, always in evaluation: no dropout, running statistics."""
        evaluation = Pass(batch.inputs, batch.rows)
        return {
            name: frozen.model.apply(
                model_state[name]["params"], model_state[name]["rest"], evaluation
            )[0]
            for name, frozen in self.frozen.items()
        }

    def numbers_per_row(self) -> int:
        return max(frozen.model.numbers_per_row() for frozen in self.frozen.values())

    def flops_per_row(self) -> int:
        # The forward pass is a third of a step. The gradient of four numbers costs next to nothing.
        return sum(frozen.model.flops_per_row() for frozen in self.frozen.values()) // 3

    def run_records(self) -> dict[str, RunRecord]:
        return {f"model.{name}": frozen.record for name, frozen in self.frozen.items()}

    def fingerprint(self) -> str:
        return "-".join(frozen.fingerprint for frozen in self.frozen.values())
