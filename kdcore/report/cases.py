"""The cases behind a number as a table: each image's true class, and what each model said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kdcore.base.words import probability_text
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax
from kdcore.report.cells import Rows


def case_rows(
    ids: Sequence[str],
    models: Mapping[str, Predictions],
    temperatures: Mapping[str, float] | None = None,
) -> Rows:
    """Return one row for each image: id, lesion, truth, each model's answer and probability.

    Parameters
    ----------
    ids : of images that all models have
    models : predictions by the model's title, of the same images in the same order
    temperatures : what each model's logits are divided by, by its title; default 1
    """
    first = next(iter(models.values()))
    place = {str(image_id): index for index, image_id in enumerate(first.sample_ids)}
    by = temperatures or dict.fromkeys(models, 1.0)
    probs = {title: softmax(p.logits, by[title]) for title, p in models.items()}
    head: list[object] = ["image", "lesion", "true class"]
    for title in models:
        head += [title, f"p, {title}"]
    body: Rows = []
    for image_id in ids:
        index = place[str(image_id)]
        row: list[object] = [
            str(image_id), str(first.group_ids[index]), first.classes[first.labels[index]],
        ]  # fmt: skip
        for title, p in probs.items():
            answer = int(p[index].argmax())
            row += [models[title].classes[answer], round(float(p[index, answer]), 4)]
        body.append(row)
    return [head, *body]


def case_lines(
    models: Mapping[str, Predictions], temperatures: Mapping[str, float] | None = None
) -> dict[str, str]:
    """Return a line for each image by its id: the true class, each model's answer and how sure.

    Parameters are those of `case_rows`.
    """
    first = next(iter(models.values()))
    by = temperatures or dict.fromkeys(models, 1.0)
    probs = {title: softmax(p.logits, by[title]) for title, p in models.items()}
    lines = {}
    for place, image_id in enumerate(first.sample_ids):
        said = [
            f"{title}: {first.classes[p[place].argmax()]} {probability_text(p[place].max())}"
            for title, p in probs.items()
        ]
        lines[str(image_id)] = "; ".join([f"True: {first.classes[first.labels[place]]}", *said])
    return lines


def case_pages(ids: Sequence[str], size: int) -> dict[int, list[str]]:
    """Return the ids in pages of `size`, counted from 1."""
    starts = range(0, len(ids), size)
    return {page: list(ids[start : start + size]) for page, start in enumerate(starts, 1)}
