"""Learning-rate schedules, against optax's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest

from phasegrok.errors import Refusal
from phasegrok.plan import layout
from phasegrok.plan.checks import check_schedules
from phasegrok.plan.plan import plan
from phasegrok.plan.runs import expand
from phasegrok.train import schedules, step
from phasegrok.train.batches import full_batch
from phasegrok.train.schedules import rate_share, scheduled
from phasegrok.train.state import init, make_table
from tests.conftest import MakeSweep
from tests.running.watching import start
from tests.train.one import MACHINE, one

STEPS = 40  # of the tiny sweep
Schedule = Callable[[int], float]


def optax_schedule(kind: str, warmup: int, final: float) -> Schedule:
    """What optax has under these names, as shares of the rate."""
    rise = optax.schedules.linear_schedule(0.0, 1.0, warmup) if warmup else lambda count: 1.0
    match kind:
        case "constant":
            return lambda count: 1.0
        case "warmup":
            return optax.schedules.warmup_constant_schedule(0.0, 1.0, warmup) if warmup else rise
        case "linear":
            fall = optax.schedules.linear_schedule(1.0, final, STEPS - warmup)
            return optax.schedules.join_schedules([rise, fall], [warmup])
    return optax.schedules.warmup_cosine_decay_schedule(0.0, 1.0, warmup, STEPS, final)


CASES = [
    ("warmup", 7, 0.0),
    ("warmup", 40, 0.0),
    ("linear", 0, 0.0),
    ("linear", 7, 0.25),
    ("cosine", 1, 0.0),
    ("cosine", 7, 0.1),
    ("cosine", 0, 1.0),
]


def sets(kind: str, warmup: int, final: float) -> list[str]:
    """The overrides of such a schedule."""
    given = [f"schedule.kind={kind}", f"schedule.warmup_steps={warmup}"]
    return given + ([f"schedule.final_fraction={final}"] if kind != "warmup" else [])


@pytest.mark.parametrize(("kind", "warmup", "final"), CASES)
def test_every_step_has_optax_rate(
    make_sweep: MakeSweep, kind: str, warmup: int, final: float
) -> None:
    program, run = one(make_sweep, *sets(kind, warmup, final))
    share = jax.jit(lambda t: rate_share(program, run.values, t))
    found = [float(share(jnp.int32(t))) for t in range(STEPS)]
    theirs = optax_schedule(kind, warmup, final)
    expected = [float(theirs(t)) for t in range(STEPS)]
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert found[-1] != found[0] or final == 1.0 or (kind, warmup) == ("warmup", 0)


@pytest.mark.parametrize("kind", ["adamw", "adam", "sgd"])
def test_weights_are_those_of_optax_with_its_schedule(make_sweep: MakeSweep, kind: str) -> None:
    """The whole step, weight decay included: decoupled decay is scaled by the scheduled rate, as
    optax does it, and coupled decay is part of the gradient. Momentum holds gradients, not
    updates, so that a rate acts on what is moved and not on what is remembered."""
    momentum = ["optimizer.momentum=0.6"] if kind == "sgd" else []
    program, run = one(
        make_sweep,
        *sets("cosine", 3, 0.1),
        f"optimizer.kind={kind}",
        "optimizer.learning_rate=0.05",
        "optimizer.weight_decay=0.7",
        *momentum,
    )
    theirs = optax_schedule("cosine", 3, 0.1)

    def rate(count: jax.Array) -> jax.Array:
        return jnp.float32(0.05) * theirs(count)

    decay = optax.add_decayed_weights(0.7)
    transform = {
        "adamw": optax.adamw(rate, 0.9, 0.98, 1e-8, weight_decay=0.7),
        "adam": optax.chain(decay, optax.adam(rate, 0.9, 0.98, 1e-8)),
        "sgd": optax.chain(decay, optax.sgd(rate, 0.6)),
    }[kind]
    state = init(program, run)
    batch = full_batch(program, make_table(program, run), run)
    advance = jax.jit(lambda state: step.train_step(program, state, batch))
    params, opt_state = state.params, transform.init(state.params)
    with jax.numpy_dtype_promotion("standard"):
        for _ in range(STEPS):
            at = state._replace(params=params)
            grads, _ = step.gradients(program, at, batch)
            updates, opt_state = transform.update(grads, opt_state, params)
            params = optax.apply_updates(params, updates)
            state = advance(state)
            for ours, optaxs in zip(*map(jax.tree.leaves, (state.params, params)), strict=True):
                np.testing.assert_allclose(ours, optaxs, rtol=2e-3, atol=2e-5)


def test_a_constant_rate_is_the_program_that_it_always_was(
    make_sweep: MakeSweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Letter for letter: without a schedule nothing is traced of one; with one, something is."""

    def text(*overrides: str) -> str:
        program, run = one(make_sweep, *overrides)
        state = init(program, run)
        batch = full_batch(program, make_table(program, run), run)
        return str(jax.make_jaxpr(lambda s: step.train_step(program, s, batch))(state))

    ours, warmed = text(), text("schedule.kind=warmup")
    monkeypatch.setattr(step, "scheduled", lambda program, state: state.run.values)
    assert text() == ours and text("schedule.kind=warmup") != warmed


def test_an_event_sets_the_rate_that_the_schedule_scales(make_sweep: MakeSweep) -> None:
    program, run = one(make_sweep, *sets("linear", 0, 0.5))
    state = init(program, run)._replace(step=jnp.int32(20))
    assert float(scheduled(program, state)[schedules.RATE]) == pytest.approx(0.02 * 0.75)
    values = {**run.values, schedules.RATE: jnp.float32(0.3)}
    state = state._replace(run=run._replace(values=values))
    assert float(scheduled(program, state)[schedules.RATE]) == pytest.approx(0.3 * 0.75)


def test_warm_ups_are_traced_and_kinds_are_programs(make_sweep: MakeSweep) -> None:
    """Other numbers, the same program; another kind, another."""
    swept = "axes: {schedule.kind: [constant, cosine], optimizer.weight_decay: [0, 1]}\n"
    assert len(plan(make_sweep(swept), MACHINE).jobs) == 2
    swept = "schedule: {kind: cosine}\naxes: {schedule.warmup_steps: [0, 5, 9]}\n"
    grid = plan(make_sweep(swept), MACHINE)
    assert len(grid.jobs) == 1
    assert grid.run_params(np.arange(3)).values["schedule.warmup_steps"].tolist() == [0, 5, 9]


def test_a_warm_up_longer_than_the_training_is_refused(make_sweep: MakeSweep) -> None:
    sweep = make_sweep("schedule: {kind: linear, warmup_steps: 41}\n")
    with pytest.raises(Refusal, match=r"tiny.yaml:6:40: schedule.warmup_steps: found 41, more"):
        check_schedules(sweep, expand(sweep))
    sweep = make_sweep("schedule: {kind: linear, warmup_steps: 40}\n")
    check_schedules(sweep, expand(sweep))


def test_a_resume_inside_a_split_interval_is_the_same_training(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rate follows from the step: interrupted twice within intervals that are trained step by
    step, the curves are those of an uninterrupted training, bit for bit. Those of a constant rate
    are others."""
    monkeypatch.setattr(layout, "SPLIT_SECONDS", 0.0)
    monkeypatch.setattr(layout, "CALL_SECONDS", 1e-9)  # a step a call
    given = [
        "optimizer.kind=sgd",
        "optimizer.learning_rate=0.5",
        "optimizer.momentum=0.5",
        *sets("cosine", 13, 0.1),
        "engine.checkpoint_every=1.0e-9",
    ]
    whole, cut, flat = (tmp_path / name for name in ("whole", "cut", "flat"))
    start(make_sweep("", *given), whole)
    for calls in (3, 14, 0):
        start(make_sweep("", *given), cut, calls or None)
    start(make_sweep("", *given[:3], given[-1]), flat)
    frames = [pd.read_parquet(each / "curves") for each in (whole, cut, flat)]
    pd.testing.assert_frame_equal(frames[0], frames[1], check_exact=True)
    assert (frames[0]["train_loss"] - frames[2]["train_loss"]).abs().max() > 1e-3
