"""Every family, loss, batch and optimizer whose step is traced in another way."""

from __future__ import annotations

SMALL = ("model.embedding=8", "model.feed_forward=12", "model.heads=2")
# Overrides of the tiny sweep, by name.
FAMILIES: dict[str, tuple[str, ...]] = {
    "default": (),
    "relu": ("model.activation=relu", "loss=cross_entropy", "model.bias=true"),
    "brier": ("loss=brier", "model.dropout=0.3"),
    "embedded": ("model.embedding=5",),
    "deep": ("model.depth=3", "model.normalization=batch"),
    "minibatch": ("train.batch_size=8", "model.normalization=layer", "loss=cross_entropy"),
    "noisy": ("optimizer.kind=sgd", "optimizer.update_noise=0.1", "optimizer.weight_noise=0.1"),
    "transformer": ("model.kind=transformer", *SMALL, "loss=cross_entropy"),
    "transformer everywhere": (
        "model.kind=transformer",
        *SMALL,
        "model.layers=2",
        "model.reads=last",
        "model.tied=true",
        "model.dropout=0.2",
        "model.dropout_at=everywhere",
    ),
    "transformer in minibatches": ("model.kind=transformer", *SMALL, "train.batch_size=8"),
    "lstm": ("model.kind=lstm", "model.embedding=8", "model.width=10", "model.dropout=0.2"),
    "lstm in minibatches": (
        "model.kind=lstm",
        "model.embedding=8",
        "model.width=10",
        "train.batch_size=8",
        "loss=cross_entropy",
    ),
    "parity": ("task.kind=parity", "task.bits=9", "task.train_examples=40", "loss=hinge"),
    "images": ("task.kind=images", "loss=cross_entropy", "train.batch_size=8"),
    "measured": ("measure.correct_logit=true", "measure.spectral_norms=true"),
}
