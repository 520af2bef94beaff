"""What a sweep file may say: every block, key, range and default, each declared once.

A field is either *traced* (marked :data:`TRACED`: a leaf of the cell that is mapped over, so
sweeping it only adds runs to a compiled program) or *static* (everything else: it fixes array
shapes or traced code, so sweeping it adds programs). The planner, the table columns and the
reference page all read the mark from here.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo


class Traced:
    """Marks a config field whose value is an array leaf rather than part of the program."""

    def __repr__(self) -> str:
        return "TRACED"


TRACED = Traced()


class Place:
    """Marks a config field that says where files lie. What they hold is part of what identifies a
    run; where they lie is not."""

    def __repr__(self) -> str:
        return "PLACE"


PLACE = Place()

# Cells are float32 (largest value 3e38) and steps are int32: larger numbers would overflow there.
LARGEST = 1e30
Positive = Annotated[float, Field(gt=0, le=LARGEST)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Block(BaseModel):
    """A mapping of a sweep file: fixed keys, no silent conversions, finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Modular(Block):
    """z = m + n or m * n modulo p, over all p^2 pairs (Doshi et al., section 1.1)."""

    kind: Literal["modular"] = "modular"
    operation: Literal["addition", "multiplication"] = "addition"
    modulus: Annotated[int, Field(ge=2, le=30_000, description="p; the table has p^2 rows")] = 97


class Images(Block):
    """Pictures and their classes (Doshi et al., appendix H); the test split stays the test set."""

    kind: Literal["images"] = "images"
    source: Annotated[
        str,
        Field(
            min_length=1, max_length=4096,
            description="digits (scikit-learn's 8 x 8 scans), or a folder with MNIST's IDX files",
        ),
        PLACE,
    ] = "digits"  # fmt: skip


class Parity(Block):
    """The product of the first k of n signs, on examples drawn independently; its own numbers of
    examples stand for data.data_fraction, and a corrupted label is the other one (thesis)."""

    kind: Literal["parity"] = "parity"
    bits: Annotated[int, Field(ge=1, le=4096, description="n: signs of an example")] = 50
    parity_bits: Annotated[int, Field(ge=1, description="k: signs that count; at most n")] = 2
    train_examples: Annotated[int, Field(ge=1, le=2**23, description="N")] = 300
    test_examples: Annotated[int, Field(ge=1, le=2**23)] = 1000

    @model_validator(mode="after")
    def _sparse(self) -> Parity:
        if self.parity_bits > self.bits:
            raise ValueError(
                f"found parity_bits {self.parity_bits} with bits {self.bits}; allowed: at most"
                " as many parity_bits as bits"
            )
        return self


class Data(Block):
    """Which examples train, and how many of their labels are wrong."""

    data_fraction: Annotated[
        float,
        Field(gt=0, lt=1, description="alpha: share of all examples (of images: of the training "
              "split) used for training"),
        TRACED,
    ] = 0.5  # fmt: skip
    corruption_fraction: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="xi: share of the training labels drawn anew, uniformly; of "
            "parity: flipped",
        ),
        TRACED,
    ] = 0.0


Activation = Literal["quadratic", "relu", "gelu", "tanh", "sigmoid", "identity"]


class Mlp(Block):
    """Fully connected network; the default is the paper's (appendix A, default setting)."""

    kind: Literal["mlp"] = "mlp"
    embedding: Annotated[
        Count | None,
        Field(
            description="d: tokens are embedded in so many dimensions first, both by the same "
            "learned vectors; null: the first layer's weights are the tokens' own"
        ),
    ] = None
    width: Annotated[Count, Field(description="N: neurons of every hidden layer")] = 500
    depth: Annotated[int, Field(ge=2, le=64, description="number of weight layers")] = 2
    activation: Activation = "quadratic"
    bias: Annotated[bool, Field(description="a bias on every hidden layer")] = False
    normalization: Annotated[
        Literal["none", "batch", "layer"],
        Field(description="after every hidden activation, with learned scale and shift"),
    ] = "none"
    initialization: Annotated[
        Literal["paper", "lazy", "kaiming", "uniform", "analytic"],
        Field(
            description="paper: N(0, (16 N)^(-2/3)); lazy: N(0, 2 / N^(2/3)); "
            "kaiming: N(0, 2 / fan_in); uniform: U(-1, 1) / sqrt(fan_in); "
            "analytic: the periodic solution of equation 2, or of parity those of the thesis"
        ),
    ] = "paper"
    init_scale: Annotated[
        Positive, Field(description="multiplies every initial weight"), TRACED
    ] = 1.0
    dropout: Annotated[
        Fraction, Field(description="share of pre-activations set to zero in training"), TRACED
    ] = 0.0


class Transformer(Block):
    """Encoder on the tokens m, n and an equals sign, at which the answer is read; attention and
    feed-forward layers after normalization (pre-LN), learned positions."""

    kind: Literal["transformer"] = "transformer"
    layers: Annotated[int, Field(ge=1, le=64)] = 1
    heads: Annotated[int, Field(ge=1, le=64, description="must divide embedding")] = 4
    embedding: Annotated[Count, Field(description="d: width of the residual stream")] = 128
    feed_forward: Annotated[Count, Field(description="neurons of every feed-forward layer")] = 512
    activation: Activation = "relu"
    normalization: Literal["none", "layer"] = "layer"
    tied: Annotated[bool, Field(description="the output layer is the embedding")] = False
    init_scale: Annotated[
        Positive, Field(description="multiplies every initial weight"), TRACED
    ] = 1.0
    dropout: Annotated[
        Fraction,
        Field(description="share zeroed of what is added to the residual stream in training"),
        TRACED,
    ] = 0.0  # fmt: skip

    @model_validator(mode="after")
    def _divides(self) -> Transformer:
        if self.embedding % self.heads:
            raise ValueError(
                f"found heads {self.heads} with embedding {self.embedding}; allowed: heads that"
                " divide embedding"
            )
        return self


class Lstm(Block):
    """Stacked LSTM on the tokens m, n and an equals sign, after which the answer is read."""

    kind: Literal["lstm"] = "lstm"
    layers: Annotated[int, Field(ge=1, le=64)] = 2
    embedding: Annotated[Count, Field(description="d: of a token")] = 128
    width: Annotated[Count, Field(description="neurons of every layer")] = 128
    init_scale: Annotated[
        Positive, Field(description="multiplies every initial weight"), TRACED
    ] = 1.0
    dropout: Annotated[
        Fraction, Field(description="share zeroed of what a layer is given by the one below, and "
                        "the output layer by the last"), TRACED
    ] = 0.0  # fmt: skip


class Mixture(Block):
    """w_m1 w_m2 C_mem + w_g1 w_g2 C_gen: two trained networks, frozen, whose four factors alone are
    trained, w_m1 and w_g1 from 0 on (efficiency study, section 5.1)."""

    kind: Literal["mixture"] = "mixture"
    memorizing: Annotated[
        str,
        Field(min_length=1, max_length=4096, description="C_mem: DIR/weights/RUN/STEP.npz"),
        PLACE,
    ]
    generalizing: Annotated[
        str, Field(min_length=1, max_length=4096, description="C_gen: another such file"), PLACE
    ]
    memorizing_scale: Annotated[Positive, Field(description="w_m2 at the start"), TRACED] = 1.0
    generalizing_scale: Annotated[Positive, Field(description="w_g2 at the start"), TRACED] = 1.0


UpdateNoise = Annotated[
    NotNegative,
    Field(
        description="standard deviation of Gaussian noise on every step's update, before the "
        "learning rate"
    ),
    TRACED,
]
WeightNoise = Annotated[
    NotNegative,
    Field(
        description="standard deviation of Gaussian noise on the weights that every step's "
        "gradient is taken at"
    ),
    TRACED,
]


class AdamW(Block):
    """Adam with decoupled weight decay (multiplied by the learning rate) on every weight."""

    kind: Literal["adamw"] = "adamw"
    learning_rate: Annotated[Positive, TRACED] = 0.01
    beta1: Annotated[Fraction, TRACED] = 0.9
    beta2: Annotated[Fraction, TRACED] = 0.98
    epsilon: Annotated[Positive, TRACED] = 1e-8
    weight_decay: Annotated[NotNegative, TRACED] = 0.0
    decay_towards: Annotated[
        Literal["zero", "init"], Field(description="init: the network's initial weights")
    ] = "zero"
    update_noise: UpdateNoise = 0.0
    weight_noise: WeightNoise = 0.0


class Adam(Block):
    """Adam; its weight decay is the coupled kind (an L2 term in the gradient)."""

    kind: Literal["adam"] = "adam"
    learning_rate: Annotated[Positive, TRACED] = 0.01
    beta1: Annotated[Fraction, TRACED] = 0.9
    beta2: Annotated[Fraction, TRACED] = 0.98
    epsilon: Annotated[Positive, TRACED] = 1e-8
    weight_decay: Annotated[NotNegative, TRACED] = 0.0
    update_noise: UpdateNoise = 0.0
    weight_noise: WeightNoise = 0.0


class Sgd(Block):
    """Gradient descent with heavy-ball momentum; its weight decay is the coupled kind."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: Annotated[Positive, TRACED] = 0.1
    momentum: Annotated[Fraction, TRACED] = 0.0
    weight_decay: Annotated[NotNegative, TRACED] = 0.0
    l1: Annotated[
        NotNegative,
        Field(description="this times the sum of all weights' sizes is added to the loss"),
        TRACED,
    ] = 0.0
    update_noise: UpdateNoise = 0.0
    weight_noise: WeightNoise = 0.0


class Train(Block):
    """How long, in what batches, and how often the network is measured."""

    steps: Annotated[
        Count | None, Field(description="optimizer steps; 2000 where epochs are not given either")
    ] = None
    epochs: Annotated[
        Count | None, Field(description="instead of steps; log_every then counts epochs")
    ] = None
    batch_size: Literal["full"] | Count = "full"
    last_batch: Annotated[
        Literal["drop", "keep"], Field(description="an epoch's incomplete last batch")
    ] = "drop"
    log_every: Count = 20
    scaling: Annotated[
        Literal["none", "paper"],
        Field(
            description="paper: learning rate * sqrt(B / 256), steps and log_every * 256 / B "
            "(appendix A.1, minibatch training)"
        ),
    ] = "none"

    def batches_per_epoch(self, n_train: Any) -> Any:
        """Steps that one pass over ``n_train`` rows takes; a number or an array of them."""
        if self.batch_size == "full":
            return n_train * 0 + 1
        extra = self.batch_size - 1 if self.last_batch == "keep" else 0
        return (n_train + extra) // self.batch_size

    @model_validator(mode="before")
    @classmethod
    def _default_length(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("steps") is None and not values.get("epochs"):
            return {**values, "steps": 2000}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Train:
        if self.steps is not None and self.epochs is not None:
            raise ValueError(
                f"found both steps {self.steps} and epochs {self.epochs}; "
                "allowed: one of them (null unsets the other)"
            )
        length, unit = (self.steps, "steps") if self.steps else (self.epochs, "epochs")
        assert length is not None
        if length % self.log_every:
            raise ValueError(
                f"found {unit} {length} with log_every {self.log_every}; "
                f"allowed: {unit} that are a multiple of log_every"
            )
        if self.scaling == "paper" and self.epochs is not None:
            raise ValueError("found scaling paper with epochs; allowed: scaling paper with steps")
        return self


TOKENLESS = ("images", "parity")  # tasks whose inputs are numbers: no embedding, no spectrum

# Of the last two, which shrink the training set, each suits the tasks that have it.
Settable = Literal[
    "optimizer.weight_decay", "optimizer.learning_rate", "data.data_fraction", "task.train_examples"
]
SHRINKS = ("data.data_fraction", "task.train_examples")


class NoEvent(Block):
    """Nothing changes while training."""

    kind: Literal["none"] = "none"


class Memorized(Block):
    """One change once the training set is memorized (thesis, section 3.1): from the first logging
    point with training accuracy above 0.999 on."""

    kind: Literal["memorized"] = "memorized"
    set: Annotated[Settable, Field(description="what gets a new value")] = "optimizer.weight_decay"
    value: Annotated[NotNegative, TRACED] = 0.0


class AtStep(Block):
    """One change from the first logging point at or after a step on."""

    kind: Literal["at_step"] = "at_step"
    at_step: Annotated[int, Field(ge=0, le=2**24), TRACED] = 0
    set: Annotated[Settable, Field(description="what gets a new value")] = "optimizer.weight_decay"
    value: Annotated[NotNegative, TRACED] = 0.0


Loss = Literal["mse", "cross_entropy", "brier", "hinge"]
Event = Annotated[NoEvent | Memorized | AtStep, Field(discriminator="kind")]
Task = Annotated[Modular | Images | Parity, Field(discriminator="kind")]
Model = Annotated[Mlp | Transformer | Lstm | Mixture, Field(discriminator="kind")]
Optimizer = Annotated[AdamW | Adam | Sgd, Field(discriminator="kind")]


class Experiment(Block):
    """Everything that decides a run's numbers, seed and precision aside."""

    task: Task = Modular()
    data: Data = Data()
    model: Model = Mlp()
    loss: Loss = "mse"
    optimizer: Optimizer = AdamW()
    train: Train = Train()
    event: Event = NoEvent()

    @model_validator(mode="after")
    def _suits(self) -> Experiment:
        """Not every model suits every task, and equation 2 solves one network on one task."""
        task = self.task.kind
        if task in TOKENLESS and self.model.kind not in ("mlp", "mixture"):
            raise ValueError(
                f"found model.kind {self.model.kind} with task.kind {task}; allowed: mlp or"
                " mixture, where inputs are no tokens"
            )
        if task in TOKENLESS and value_at(self, "model.embedding") is not None:
            raise ValueError(
                f"found model.embedding {value_at(self, 'model.embedding')} with task.kind {task};"
                " allowed: null, where inputs are no tokens"
            )
        if self.loss == "hinge" and task != "parity":
            raise ValueError(
                f"found loss hinge with task.kind {task}; allowed: hinge with parity, whose"
                " networks have one output"
            )
        if task == "parity" and "data_fraction" in self.data.model_fields_set:
            raise ValueError(
                "found data.data_fraction with a parity task; allowed: no fraction, since all of"
                " its train_examples train"
            )
        shrinks = value_at(self, "event.set")
        allowed = "task.train_examples" if task == "parity" else "data.data_fraction"
        if shrinks in SHRINKS and shrinks != allowed:
            raise ValueError(
                f"found event.set {shrinks} with task.kind {task}; allowed: {allowed}, which this"
                " task's training set is sized by"
            )
        if value_at(self, "model.initialization") == "analytic":
            for path, needed in self._solved():
                found = value_at(self, path)
                if found not in needed:
                    raise ValueError(
                        f"found model.initialization analytic with {path} {found}; allowed:"
                        f" {path} {' or '.join(str(value) for value in needed)}, for which"
                        " a solution is known"
                    )
        return self

    def _solved(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """What the networks must be whose weights are known without training: of equation 2 on
        modular addition, and of the thesis' chapter 4 on sparse parity."""
        task = self.task
        if isinstance(task, Parity):
            width = 2**task.parity_bits
            yield "model.width", (2, 4) if task.parity_bits == 2 else (width,)
            yield "model.activation", ("relu",)
            yield "model.bias", (True,)
        else:
            yield "task.kind", ("modular",)
            yield "task.operation", ("addition",)
            yield "model.activation", ("quadratic",)
            yield "model.bias", (False,)
            yield "model.embedding", (None,)
        yield "model.depth", (2,)
        yield "model.normalization", ("none",)


PruningOrder = Literal["lowest", "highest", "random"]


class Measure(Block):
    """What is looked at inside the networks, at the end of training and at the steps named.
    Part of what a sweep computes; the trainings themselves are the same whatever is measured."""

    spectra: Annotated[
        bool, Field(description="table neurons: IPR, frequency, phase and norm of every neuron")
    ] = False
    spectral_norms: Annotated[
        bool,
        Field(
            description="columns spectral_NAME of curves and runs: the largest singular value of"
            " every weight matrix"
        ),
    ] = False
    correct_logit: Annotated[
        bool,
        Field(
            description="columns train_logit and test_logit of curves and runs: the output at the "
            "label (of training examples the one that is shown) above the mean of all outputs, on "
            "average over examples"
        ),
    ] = False
    readout: Annotated[
        bool, Field(description="table readout: every weight of the output layer")
    ] = False
    activations: Annotated[
        int,
        Field(
            ge=0, le=10_000,
            description="table activations: what the output layer is given, on so many of the "
            "training examples",
        ),
    ] = 0  # fmt: skip
    pruning: Annotated[
        tuple[PruningOrder, ...],
        Field(description="table pruning: neurons removed one by one, by IPR or at random"),
    ] = ()
    logits: Annotated[
        int,
        Field(
            ge=0, le=10_000,
            description="table logits: all outputs on so many corrupted training examples",
        ),
    ] = 0  # fmt: skip
    rows: Annotated[
        int,
        Field(ge=0, le=10_000, description="table rows: weights of the first so many neurons"),
    ] = 0  # fmt: skip
    weights: Annotated[
        Literal["none", "final", "all"],
        Field(description="weights/RUN/STEP.npz: at the steps measured, or at every logged step"),
    ] = "none"
    steps: Annotated[
        tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], ...],
        Field(description="logged steps (epochs, where train counts those) besides the last"),
    ] = ()
    ipr_order: Annotated[
        int, Field(ge=2, le=8, description="r in IPR = (|F|_2r / |F|_2)^2r (equation 3)")
    ] = 2
    mean_ipr: Annotated[
        Literal["neurons", "input", "output"],
        Field(
            description="vectors that mean_ipr is over: a neuron's of all layers (of the input "
            "layer, if the network is deeper than two), rows of the input embedding, or columns "
            "of the output layer"
        ),
    ] = "neurons"

    @property
    def finds(self) -> bool:
        """Whether any table of findings was asked for."""
        tables = (
            self.spectra,
            self.readout,
            self.activations,
            self.pruning,
            self.logits,
            self.rows,
        )
        return any(tables)


MEASURE_NOTHING = Measure()  # beyond what every sweep's runs and curves hold


class Engine(Block):
    """How a sweep runs; of these only precision is part of what it computes."""

    mapping: Literal["auto", "vmap", "map"] = "auto"
    chunk: Literal["auto"] | Count = "auto"
    precision: Literal["float32", "tf32", "bfloat16"] = "float32"
    checkpoint_every: Annotated[
        Positive, Field(description="seconds of training that a crash may cost at most")
    ] = 60.0


def kinds(annotation: Any) -> list[type[Block]]:
    """The block classes that an annotation allows: one, or a union's members."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return kinds(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [k for a in typing.get_args(annotation) for k in kinds(a)]
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return [annotation]
    return []


def fields(block: type[Block] = Experiment) -> Iterator[tuple[str, list[FieldInfo]]]:
    """Every dotted path that an axis may name, with the field's declarations (one per kind)."""
    found: dict[str, list[FieldInfo]] = {}
    for name, info in block.model_fields.items():
        inner = kinds(info.annotation)
        if not inner:
            found[name] = [info]
        for kind in inner:
            for leaf, leaf_info in kind.model_fields.items():
                found.setdefault(f"{name}.{leaf}", []).append(leaf_info)
    yield from found.items()


PATHS: dict[str, list[FieldInfo]] = dict(fields())


def is_traced(path: str) -> bool:
    """Whether the field at a dotted path is a traced leaf."""
    return any(isinstance(mark, Traced) for mark in PATHS[path][0].metadata)


def is_place(field: FieldInfo) -> bool:
    """Whether a field says where files lie."""
    return any(isinstance(mark, Place) for mark in field.metadata)


def column(path: str) -> str:
    """The table column of a dotted path: its leaf name, the block's name for a kind, and both
    where a leaf's name says too little (``event_value``)."""
    block, _, leaf = path.rpartition(".")
    if leaf == "kind":
        return block
    return f"event_{leaf}" if block == "event" else leaf


def value_at(experiment: Experiment, path: str) -> Any:
    """The value at a dotted path, or None where the experiment's kind has no such field."""
    value: Any = experiment
    for part in path.split("."):
        value = getattr(value, part, None)
    return value
