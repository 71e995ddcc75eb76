"""What models cost in each form they can be shipped in, and which form of each is recommended.

The record holds numbers that need no data set to be shown: sizes, times, memory, and the scores of
every form. Predictions of a form that does not answer as its network does lie beside the record.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kdcore.deploy.check import Check
from kdcore.deploy.json_record import Kind, expect, from_text, to_text
from kdcore.deploy.latency_engines import ENGINES
from kdcore.deploy.latency_record import Benchmark, Timing, check_benchmark
from kdcore.deploy.profile import PeakMemory, count_macs
from kdcore.models import Card, Classifier
from kdcore.models.size import parameter_count

PARENTS: Mapping[str, str] = {
    "torchscript": "eager",
    "onnxruntime": "eager",
    "int8": "onnxruntime",
}
MOST_LOSS = 0.01
RULE = (
    "Recommended, one for each model: the fastest artefact (median time of one picture) that "
    f"loses at most {MOST_LOSS:g} of macro-F1 against the network on the validation part and is "
    "not slower than what it was made of: an export than the eager network, INT8 than its float "
    "ONNX. Without pictures a checked float export counts as no loss, and INT8 is left out. The "
    "test part has no say."
)
_SHARES = ("macro_f1", "balanced_accuracy", "accuracy", "ece", "agreement")


@dataclass(frozen=True)
class Quality:
    """The scores of an artefact on one part of the split.

    Attributes
    ----------
    n : images
    macro_f1, balanced_accuracy, accuracy : as `kdcore.evaluate` has them
    ece : 15 bins of equal width, at the card's temperature
    agreement : share of the images with the network's own answer
    kept : whether its predictions lie beside the record; if not, the network's are its own
    """

    n: int
    macro_f1: float
    balanced_accuracy: float
    accuracy: float
    ece: float
    agreement: float
    kept: bool


@dataclass(frozen=True)
class Variant:
    """A model in one form.

    Attributes
    ----------
    engine : of `ENGINES`; "eager" is the network itself
    size : of its file, bytes
    sha256 : of its file
    check : against the network, before it was timed; None for the network itself
    memory : of a process that opens and runs it; None where the system does not tell
    quality : by part, "val" and "test"; empty without pictures
    recommended : by `RULE`
    """

    engine: str
    size: int
    sha256: str
    check: Check | None
    memory: PeakMemory | None
    quality: dict[str, Quality]
    recommended: bool = False


@dataclass(frozen=True)
class ModelCost:
    """A model: what its card says, what it costs in any form, and its forms.

    Attributes
    ----------
    name, title, role, architecture, input_size, temperature : of its card
    weights : SHA-256 of its weights
    parameters : trainable numbers
    macs : multiply-accumulates of one image
    variants : "eager" first
    """

    name: str
    title: str
    role: str
    architecture: str
    input_size: int
    temperature: float
    weights: str
    parameters: int
    macs: int
    variants: tuple[Variant, ...]

    @classmethod
    def of(cls, card: Card, network: Classifier, variants: Iterable[Variant]) -> ModelCost:
        """Return what the network that `card` is of costs, in its forms `variants`."""
        return cls(
            name=card.name,
            title=card.title or card.name,
            role=card.role,
            architecture=", ".join(card.members) or card.architecture,
            input_size=card.input_size,
            temperature=card.temperature,
            weights=card.weights_sha256,
            parameters=parameter_count(card),
            macs=count_macs(network, card.input_size),
            variants=tuple(variants),
        )

    @property
    def parameters_mb(self) -> float:
        """Memory of the trainable numbers at float32, MB (10^6 bytes)."""
        return 4 * self.parameters / 1e6

    def variant(self, engine: str) -> Variant | None:
        """Return the form for an engine; None where there is none."""
        return next((v for v in self.variants if v.engine == engine), None)

    @property
    def recommended(self) -> Variant:
        """The form that `RULE` recommends."""
        return next(v for v in self.variants if v.recommended)


@dataclass(frozen=True)
class Efficiency:
    """Models, and one benchmark of all their forms in turns.

    Attributes
    ----------
    data : name of the data set that quality was measured on; "" without one
    calibration : pictures that the ranges of INT8 are from, of the training part; 0 for none
    models : in the order they were asked for
    benchmark : of one picture at a time
    left_out : one sentence for each thing that is missing
    """

    data: str
    calibration: int
    models: tuple[ModelCost, ...]
    benchmark: Benchmark
    left_out: tuple[str, ...] = ()

    def timing(self, model: ModelCost, engine: str) -> Timing | None:
        """Return how long a model takes in a form; None where that was not timed."""
        return next((t for t in self.benchmark.timings if _is_of(t, model.name, engine)), None)

    def speed_up(self, model: ModelCost, engine: str) -> float:
        """Return how many times faster than the eager network a form is, by medians."""
        one, other = self.timing(model, "eager"), self.timing(model, engine)
        if one is None or other is None:
            return math.nan
        return one.summary.p50 / other.summary.p50


_KIND = Kind(
    name="distilscope efficiency",
    schema=1,
    key="efficiency",
    record=Efficiency,
    what="an efficiency record of DistilScope",
    where_from="`python -m kdcore efficiency` wrote",
    hint="Make it again with `python -m kdcore efficiency`.",
)


def to_json(found: Efficiency) -> str:
    """Return the record as JSON text; a number that is not defined is null."""
    return to_text(_KIND, found)


def from_json(text: str, file: str) -> Efficiency:
    """Return the record in JSON `text`; `file` is what errors call it.

    Raises
    ------
    DataError
        If it is no such JSON, of another schema, or a field is missing, unknown or wrong; the
        field is named.
    """
    found: Efficiency = from_text(_KIND, text, file, _check)
    return found


def recommend(model: ModelCost, p50: Mapping[str, float]) -> ModelCost:
    """Return the model with the one form marked that `RULE` recommends.

    Parameters
    ----------
    model : its forms have an engine each, "eager" among them
    p50 : median ms by engine, of every form

    Raises
    ------
    ValueError
        If there is no eager form, or one was not timed.
    """
    missing = {"eager", *(v.engine for v in model.variants)} - {*p50}
    if missing or model.variant("eager") is None:
        raise ValueError(f"model, p50: expected an eager form and a time of each, lack {missing}")
    fit = [v for v in model.variants if _may_be_recommended(model, v, p50)]
    best = min(fit, key=lambda v: p50[v.engine])
    variants = tuple(replace(v, recommended=v is best) for v in model.variants)
    return replace(model, variants=variants)


def loss_on_validation(model: ModelCost, variant: Variant) -> float:
    """Return the macro-F1 of the network less that of a form, both on validation.

    Without such scores 0 for a float form, which its check ties to the network, else infinite.
    """
    network = model.variant("eager")
    one, other = (v.quality.get("val") if v else None for v in (network, variant))
    if one and other:
        return one.macro_f1 - other.macro_f1
    return math.inf if variant.engine == "int8" else 0.0


def _may_be_recommended(model: ModelCost, variant: Variant, p50: Mapping[str, float]) -> bool:
    parent = PARENTS.get(variant.engine)
    # A form whose parent could not be made is held against the eager network.
    slower = parent is not None and p50[variant.engine] > p50.get(parent, p50["eager"])
    return not slower and loss_on_validation(model, variant) <= MOST_LOSS


def _is_of(timing: Timing, model: str, engine: str) -> bool:
    return (timing.contender.model, timing.contender.engine) == (model, engine)


def _check(found: Efficiency) -> None:
    """Check what types alone don't: sound numbers, one recommendation a model, a time of each."""
    check_benchmark(found.benchmark, "efficiency.benchmark")
    names = [model.name for model in found.models]
    place = "efficiency.models"
    expect(bool(names) and len({*names}) == len(names), place, "models of different names", names)
    for k, model in enumerate(found.models):
        _check_model(found, model, f"{place}[{k}]")


def _check_model(found: Efficiency, model: ModelCost, where: str) -> None:
    plain = model.name not in ("", ".", "..") and not {*model.name} & {*"/\\\0"}
    expect(plain, f"{where}.name", "a name without / or \\", model.name)
    for name in ("input_size", "parameters", "macs", "temperature"):
        value = getattr(model, name)
        expect(0 < value < math.inf, f"{where}.{name}", "a number above 0", value)
    engines = [variant.engine for variant in model.variants]
    once = len({*engines}) == len(engines) and engines[:1] == ["eager"] and {*engines} <= {*ENGINES}
    expect(once, f"{where}.variants", f"each once of {', '.join(ENGINES)}, eager first", engines)
    count = sum(variant.recommended for variant in model.variants)
    expect(count == 1, f"{where}.variants", "one that is recommended", count)
    for k, variant in enumerate(model.variants):
        place = f"{where}.variants[{k}]"
        timed = found.timing(model, variant.engine) is not None
        expect(timed, f"{place}.engine", "one that the benchmark has timed", variant.engine)
        expect(variant.size > 0, f"{place}.size", "a number above 0", variant.size)
        for part, quality in variant.quality.items():
            _check_quality(quality, f"{place}.quality.{part}")


def _check_quality(quality: Quality, where: str) -> None:
    expect(quality.n > 0, f"{where}.n", "1 or more", quality.n)
    for name in _SHARES:
        value = getattr(quality, name)
        expect(0 <= value <= 1, f"{where}.{name}", "a number from 0 to 1", value)
