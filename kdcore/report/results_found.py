"""Where results come from: the shelf of predictions, runs, and the scores of sweeps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import torch

from kdcore.base import checkpoints_folder
from kdcore.data import DATASETS
from kdcore.distill import Recipe, Run
from kdcore.distill.recipe import active_terms
from kdcore.distill.sweep import Member
from kdcore.evaluate import Evaluation, Interval
from kdcore.evaluate.held_out import VAL_SCORE
from kdcore.evaluate.significance import t_interval
from kdcore.models import Card, build_model
from kdcore.models.size import parameter_count
from kdcore.predict.shelf import FOREIGN, Measured
from kdcore.report.checkpoints import data_name
from kdcore.report.results import SCORES, Result
from kdcore.report.runs import best_epoch
from kdcore.report.sweep_scores import (
    SeedScores,
    SweepScores,
    method_title,
)

_TERMS = {"kd": "KD", "at": "attention transfer", "align": "alignment", "hint": "hints"}


def method_words(recipe: Mapping[str, Any]) -> str:
    """Return how a recipe's fields train: "no teacher", "KD + attention transfer", …."""
    if not recipe:
        return "not told"
    if not recipe.get("teachers"):
        return "no teacher"
    active = active_terms(recipe)
    return " + ".join(word for term, word in _TERMS.items() if term in active) or "no teacher"


def teacher_words(recipe: Mapping[str, Any]) -> str:
    """Return the teachers of a recipe's fields by name: "a + b"; "" where none taught."""
    taught = method_words(recipe) not in ("not told", "no teacher")
    return " + ".join(recipe["teachers"]) if taught else ""


def shelf_results(
    models: Iterable[Measured], part: str, measure: Callable[[Measured, str], Evaluation]
) -> list[Result]:
    """Return what each model with predictions on `part` reached.

    Parameters
    ----------
    models : of the shelf
    part : "test" or "val"
    measure : evaluates a model whose card has no scores of the part
    """
    return [_of_shelf(m, part, measure) for m in models if part in m.files]


def run_results(runs: Iterable[Run], known: Iterable[Measured]) -> list[Result]:
    """Return the best epoch on validation of runs that have no predictions, without interval."""
    measured = {m.path.parent for m in known if m.path.name == "checkpoint"}
    return [
        _of_run(run, run.recipe)
        for run in runs
        if run.recipe and run.folder.path not in measured and _best(run) is not None
    ]


def sweep_results(sweep: SweepScores, part: str) -> list[Result]:
    """Return the runs of a sweep and, before them, each method's mean over seeds.

    On validation only the macro-F1 was kept.
    """
    plan = {(m.student, m.method): m for m in (sweep.plan.members() if sweep.plan else ())}
    grouped: dict[tuple[str, str], list[SeedScores]] = {}
    for run in sweep.runs:
        grouped.setdefault((run.student, run.method), []).append(run)
    found = []
    for key, runs in grouped.items():
        found.append(_mean(sweep, part, runs, plan.get(key)))
    return found + [
        _of_seed(sweep, part, run, plan.get((run.student, run.method))) for run in sweep.runs
    ]


def _of_shelf(model: Measured, part: str, measure: Callable[[Measured, str], Evaluation]) -> Result:
    card = model.card
    found = card.metrics.get(part) if card else None
    if isinstance(found, dict) and all(_is_interval(found.get(name)) for name in SCORES):
        scores = {name: Interval.from_dict(found[name]) for name in SCORES}
        images, source = found.get("n"), model.path / "card.json"
    else:
        evaluation = measure(model, part)
        scores = {name: evaluation.metrics[name] for name in SCORES}
        images, source = evaluation.n, model.files[part]
    recipe = card.recipe if card else {}
    network = (" + ".join(card.members) or card.architecture) if card else ""
    return Result(
        key=f"model:{model.name}",
        origin=_origin(model),
        title=model.title,
        method=method_words(recipe),
        role="" if model.role == FOREIGN else model.role,
        network=network,
        data=data_name(card.classes if card else model.load(part).classes),
        split=str(recipe.get("split", "")),
        part=part,
        scores=scores,
        spread="lesions",
        source="/".join(source.parts[-3:]),
        taught=teacher_words(recipe),
        seed=str(recipe.get("seed", "")),
        images=images,
        parameters=_millions(card),
        input_size=card.input_size if card else None,
        measured=model.name,
    )


def _origin(model: Measured) -> str:
    if model.role == FOREIGN:
        return "imported"
    here = model.path.parent.resolve() == checkpoints_folder().resolve()
    return "released" if here and not (model.card and model.card.added) else "run"


def _is_interval(found: object) -> bool:
    return isinstance(found, dict) and {"value", "low", "high"} <= found.keys()


def _of_run(run: Run, recipe: Recipe) -> Result:
    return Result(
        key=f"run:{run.name}",
        origin="run",
        title=recipe.title or run.name,
        part="val",
        scores={"macro_f1": _alone(_best(run) or math.nan)},
        spread="",
        source=f"{run.name}/history.csv",
        **_facts(recipe),
    )


def _best(run: Run) -> float | None:
    best = best_epoch(run)
    return best[VAL_SCORE] if best else None


def _mean(sweep: SweepScores, part: str, runs: list[SeedScores], member: Member | None) -> Result:
    names = _kept(part)
    scores = {
        name: t_interval([run.scores[kept] for run in runs])[0] for name, kept in names.items()
    }
    seeds = ", ".join(str(run.seed) for run in runs)
    title = f"{_label(sweep, runs[0])}, {len(runs)} seed{'s' if len(runs) > 1 else ''}"
    spread = "seeds" if len(runs) > 1 else ""
    return _swept(sweep, part, runs[0], member, title, scores, seeds, "mean", spread)


def _of_seed(sweep: SweepScores, part: str, run: SeedScores, member: Member | None) -> Result:
    scores = {name: _alone(run.scores[kept]) for name, kept in _kept(part).items()}
    title = f"{_label(sweep, run)}, seed {run.seed}"
    return _swept(sweep, part, run, member, title, scores, str(run.seed), "seed", "")


def _swept(
    sweep: SweepScores,
    part: str,
    run: SeedScores,
    member: Member | None,
    title: str,
    scores: dict[str, Interval],
    seeds: str,
    origin: str,
    spread: str,
) -> Result:
    facts = _facts(member.recipe) if member else _no_facts(run)
    path = sweep.source
    return Result(
        key=f"{origin}:{sweep.name}:{run.student}:{run.method}:{seeds}",
        origin=origin,
        title=title,
        part=part,
        scores=scores,
        spread=spread,
        source="/".join(path.parts[-2:]),
        images=sweep.images.get(part),
        sweep=sweep.name,
        **facts | {"method": method_title(run.method), "seed": seeds},
    )


def _kept(part: str) -> dict[str, str]:
    """Return the columns of a sweep's file by the score that they are on a part."""
    return {"macro_f1": VAL_SCORE} if part == "val" else {name: name for name in SCORES}


def _label(sweep: SweepScores, run: SeedScores) -> str:
    what = " ".join(part for part in (run.student, method_title(run.method)) if part)
    return f"{sweep.name}: {what}"


def _facts(recipe: Recipe) -> dict[str, Any]:
    info = DATASETS.get(recipe.dataset)  # class folders are in no table
    return {
        "method": method_words(vars(recipe)),
        "taught": teacher_words(vars(recipe)),
        "role": recipe.role,
        "network": recipe.architecture,
        "data": info.name if info else "class folders",
        "split": recipe.split,
        "seed": str(recipe.seed),
        "parameters": _count(recipe.architecture, len(info.classes)) if info else None,
        "input_size": recipe.input_size,
    }


def _no_facts(run: SeedScores) -> dict[str, Any]:
    return {"role": "", "network": run.student, "data": "", "split": ""}


def _alone(value: float) -> Interval:
    return Interval(value, math.nan, math.nan)


def _millions(card: Card | None) -> float | None:
    if card is None:
        return None
    if card.members:
        return parameter_count(card) / 1e6
    return _count(card.architecture, len(card.classes))


@lru_cache(maxsize=64)
def _count(architecture: str, classes: int) -> float:
    """Return the millions of parameters of a network, built without memory for them."""
    with torch.device("meta"):
        model = build_model(architecture, classes)
    return sum(p.numel() for p in model.parameters()) / 1e6
