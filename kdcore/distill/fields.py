"""Every field of a recipe once: its group, its meaning, and the values it takes.

The recipe's validation and the Train page both read this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kdcore.data import AUGMENTATIONS, KINDS, SPLITS
from kdcore.losses import CLASS_WEIGHTS
from kdcore.models import ARCHITECTURES

HUGE = 10**9
PIXELS = (16, 1024)
SCHEDULED = ("alpha", "temperature", "beta", "lam")
SCHEDULES = ("linear", "cosine", "warm-up")


@dataclass(frozen=True)
class Field:
    """One field: `kind` is text, choice, whole, number, flag, or that of a list.

    `low` and `high` bound a number, inclusive unless `above` (low) or `below` (high) says that
    the bound itself is excluded. `options` are the choices.
    """

    name: str
    group: str
    meaning: str
    kind: str
    low: float = 0
    high: float = HUGE
    above: bool = False
    below: bool = False
    options: tuple[str, ...] = ()

    def accepts(self, value: object) -> bool:
        """Tell whether `value` may stand in this field."""
        return _KINDS[self.kind][0](self, value)

    @property
    def expected(self) -> str:
        """What the field takes, in words."""
        return _KINDS[self.kind][1](self)


def _number(f: Field, value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    low = value > f.low if f.above else value >= f.low
    return low and (value < f.high if f.below else value <= f.high)


def _whole(f: Field, value: object) -> bool:
    return type(value) is int and f.low <= value <= f.high


def _texts(_: Field, value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(v, str) for v in value)


def _numbers(f: Field, value: object) -> bool:
    return isinstance(value, tuple) and all(_number(f, v) for v in value)


def _folder(_: Field, value: object) -> bool:
    return isinstance(value, str) and value not in ("", ".", "..") and not set(value) & set("/\\\0")


def _sizes(_: Field, value: object) -> bool:
    def stage(pair: object) -> bool:
        two = isinstance(pair, tuple) and len(pair) == 2 and all(type(v) is int for v in pair)
        return two and pair[0] >= 0 and PIXELS[0] <= pair[1] <= PIXELS[1]  # type: ignore[index]

    return isinstance(value, tuple) and all(map(stage, value))


def _schedules(_: Field, value: object) -> bool:
    def one(item: object) -> bool:
        if not isinstance(item, tuple) or len(item) != 3:
            return False
        what, kind, number = item
        if what not in SCHEDULED or kind not in SCHEDULES:
            return False
        bounds = Field("", "", "", "number", high=1 if what == "alpha" else HUGE)
        if kind == "warm-up" or what == "temperature":
            bounds = Field("", "", "", "number", above=True)
        return bounds.accepts(number)

    names = [v[0] for v in value if isinstance(v, tuple) and v] if isinstance(value, tuple) else []
    return isinstance(value, tuple) and len(set(names)) == len(value) and all(map(one, value))


def _interval(f: Field, noun: str) -> str:
    if f.high >= HUGE:
        return f"a {noun} {'above' if f.above else 'of at least'} {f.low:g}, at most {HUGE:,}"
    return f"a {noun} in {'(' if f.above else '['}{f.low:g}, {f.high:g}{')' if f.below else ']'}"


_Check = Callable[[Field, Any], bool]
_KINDS: dict[str, tuple[_Check, Callable[[Field], str]]] = {
    "text": (lambda f, v: isinstance(v, str), lambda f: "text"),
    "folder": (_folder, lambda f: "a folder's name"),
    "choice": (
        lambda f, v: isinstance(v, str) and v in f.options,
        lambda f: f"one of {', '.join(f.options)}",
    ),
    "flag": (lambda f, v: isinstance(v, bool), lambda f: "true or false"),
    "whole": (_whole, lambda f: _interval(f, "whole number")),
    "number": (_number, lambda f: _interval(f, "number")),
    "texts": (_texts, lambda f: "a list of texts"),
    "numbers": (_numbers, lambda f: "a list of numbers, each " + _interval(f, "number")),
    "three": (
        lambda f, v: _numbers(f, v) and len(v) in (0, 3),
        lambda f: "three numbers, or none",
    ),
    "sizes": (_sizes, lambda f: "pairs of a first epoch, from 0, and 16 to 1024 pixels"),
    "schedules": (
        _schedules,
        lambda f: (
            "triples of what ("
            + ", ".join(SCHEDULED)
            + "), kind (linear, cosine to an end value; warm-up over a number of epochs), and that "
            "number, one for each"
        ),
    ),
}

_F = Field
FIELDS: tuple[Field, ...] = (
    _F("name", "Run", "Name of the run and of the checkpoint's folder.", "folder"),
    _F("title", "Run", "Name for people; the folder's where empty.", "text"),
    _F("role", "Run", "What the result is listed as; a baseline has no teacher.", "choice",
       options=("teacher", "student", "baseline")),
    _F("seed", "Run", "Of weights, order and views: one seed, one result.", "whole"),
    _F("dataset", "Data", "Which data set the data folder has to hold.", "choice",
       options=KINDS),
    _F("split", "Data", "How images are handed to training, validation and test.", "choice",
       options=tuple(SPLITS.names())),
    _F("split_seed", "Data", "Seed of the split.", "whole"),
    _F("limit", "Data", "About how many training images are used, each class its share, rounded "
       "up; 0 for all.", "whole"),
    _F("input_size", "Data", "Side of the student's square input, pixels.", "whole", *PIXELS),
    _F("sizes", "Data", "Progressive resizing: (first epoch, pixels) pairs.", "sizes"),
    _F("augmentation", "Data", "How far training views go from the picture.", "choice",
       options=tuple(AUGMENTATIONS)),
    _F("sampling", "Data", "Each image once an epoch, or each class equally often.", "choice",
       options=("shuffled", "balanced")),
    _F("mixup", "Data", "Share of batches whose images and labels are mixed.", "number", 0, 1),
    _F("architecture", "Student", "The network that is trained.", "choice",
       options=tuple(ARCHITECTURES.names())),
    _F("init", "Student", "Initial weights: empty for random, `imagenet`, `checkpoint:NAME`, or a "
       "file (`~` and `$VARIABLES` are expanded).", "text"),
    _F("init_mean", "Student", "Pixel mean that the initial weights expect; none: the data's.",
       "three", -1e6, 1e6),
    _F("init_std", "Student", "Pixel deviation that the initial weights expect; none: the data's.",
       "three", 0, 1e6, above=True),
    _F("teachers", "Teacher", "Checkpoints that teach; their logits are averaged.", "texts"),
    _F("teacher_weights", "Teacher", "Weight of each teacher; none for equal ones.", "numbers",
       above=True),
    _F("teacher_views", "Teacher", "K views of each image that the teachers are asked about once, "
       "and that training goes through in turn; 0 asks them live about fresh views.", "whole", 0,
       1000),
    _F("alpha", "Hard label", "α: weight of the hard label's loss; the soft label's is 1 − α.",
       "number", 0, 1),
    _F("class_weights", "Hard label", "Classes weigh equally, by 1/√n, or by effective number.",
       "choice", options=CLASS_WEIGHTS),
    _F("effective_beta", "Hard label", "β of the effective number (1 − βⁿ)/(1 − β).", "number",
       0, 1, below=True),
    _F("label_smoothing", "Hard label", "Share of the label spread over all classes.", "number",
       0, 1, below=True),
    _F("focal_gamma", "Hard label", "γ of the focal loss; 0 is cross-entropy.", "number"),
    _F("kd", "Soft label", "KL of the softened outputs, or decoupled KD.", "choice",
       options=("kl", "dkd")),
    _F("kd_weighted", "Soft label", "Weigh images by class in the soft label's loss, too.", "flag"),
    _F("temperature", "Soft label", "T: softens both outputs; the loss is scaled by T².", "number",
       above=True),
    _F("dkd_target", "Soft label", "DKD: weight of the target class's part.", "number"),
    _F("dkd_other", "Soft label", "DKD: weight of the other classes' part.", "number"),
    _F("beta", "Attention", "β: weight of attention transfer.", "number"),
    _F("at_weights", "Attention", "Weight of each stage, last first; none for all stages at 1.",
       "numbers"),
    _F("at_masked", "Attention", "Gate the teacher's attention by its causal mask.", "flag"),
    _F("mask_q", "Attention", "q: share of a stage's cells in the causal mask.", "number", 0, 1,
       above=True),
    _F("lam", "Alignment", "λ: weight of the alignment inside the teacher's causal mask.",
       "number"),
    _F("align", "Alignment", "Masked squared difference, or contrast over the batch.", "choice",
       options=("mse", "contrastive")),
    _F("align_stage", "Alignment", "Which stage is aligned, counted back from the last: 1 is the "
       "last.", "whole", 1, 8),
    _F("contrast_temperature", "Alignment", "τ of the contrastive similarities.", "number",
       above=True),
    _F("hint", "Hints", "Weight of matching a stage's features by a learned projection.",
       "number"),
    _F("hint_stage", "Hints", "Which stage, counted back from the last: 1 is the last.", "whole",
       1, 8),
    _F("schedules", "Schedules", "How α, T, β or λ move during training.", "schedules"),
    _F("epochs", "Optimisation", "Passes through the training images.", "whole", 1),
    _F("batch_size", "Optimisation", "Images a step, all processes together.", "whole", 2),
    _F("optimizer", "Optimisation", "The rule of the steps.", "choice",
       options=("adamw", "adam", "sgd")),
    _F("learning_rate", "Optimisation", "Largest step size.", "number", above=True),
    _F("momentum", "Optimisation", "Of SGD.", "number", 0, 1, below=True),
    _F("weight_decay", "Optimisation", "On kernels and matrices, not on biases and norms.",
       "number"),
    _F("lr_schedule", "Optimisation", "How the step size moves after the warm-up.", "choice",
       options=("cosine", "one-cycle", "step", "constant")),
    _F("warmup_epochs", "Optimisation", "Epochs in which the step size rises from 0.", "number"),
    _F("step_epochs", "Optimisation", "Step schedule: epochs between falls.", "whole", 1),
    _F("step_factor", "Optimisation", "Step schedule: factor of a fall.", "number", 0, 1,
       above=True),
    _F("clip", "Optimisation", "Largest norm of the gradient.", "number", above=True),
    _F("ema", "Optimisation", "Decay per step of the averaged weights that are kept.", "number",
       0, 1, below=True),
    _F("monitor", "Optimisation", "What on validation chooses the best epoch.", "choice",
       options=("macro_f1", "nll")),
    _F("patience", "Optimisation", "Stop after this many epochs without a better one; 0: never.",
       "whole"),
    _F("precision", "Optimisation", "Of the arithmetic; auto is bf16 where the device has it.",
       "choice", options=("fp32", "bf16", "fp16", "auto")),
)  # fmt: skip
