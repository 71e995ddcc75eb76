"""A grid in words: what its means are over, and of what its figures of maps are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.evaluate import Interval
from kdcore.evaluate.robustness import MapCell, overall_corruptions, robustness
from kdcore.report.robustness import map_note, mean_table, summary_sentence, summed_text
from tests.evaluate.test_robustness import make_grid


def measured(*stacks, **options):
    """Return a grid over these corruptions, whose cells are those of `make_grid` in turn."""
    grid = {
        model: dict(zip(("clean", *stacks), cells.values(), strict=False))
        for model, cells in make_grid(60).items()
    }
    return robustness(grid, teacher="teacher", summed=overall_corruptions(stacks), **options)


@pytest.mark.parametrize(
    ("stacks", "inside", "told"),
    [
        (("jpeg-1", "jpeg-2", "hair-1"), ["jpeg", "hair"], "2 corruptions, each counted alike."),
        (("jpeg-1", "edge_jpeg-1"), ["jpeg"], "1 corruption, each counted alike, without Edge st"),
        (("jpeg-1", "hair-1+jpeg-2"), ["jpeg"], "without Hair 1, then JPEG compression 2."),
        (("edge_jpeg-1", "edge_jpeg-2"), ["edge_jpeg"], "1 corruption, each counted alike."),
    ],
)
def test_a_mean_says_how_many_corruptions_are_in_it(stacks, inside, told):
    found = measured(*stacks, n_boot=20)
    assert overall_corruptions(stacks) == inside
    assert told in summed_text(found)
    means = {c.corruption: c.balanced_error.value for c in found.means if c.model == "student"}
    assert means["all"] == pytest.approx(np.mean([means[name] for name in inside]))
    said = summary_sentence(found, "student", "KD")
    assert f"on average over {len(inside)} corruption" in said
    assert f"{means['clean']:.3f} on clean pictures" in said


def test_clean_pictures_alone():
    assert summary_sentence(measured(n_boot=0), "student", "KD").endswith(
        "on clean pictures; no corruption was measured."
    )


def test_maps_say_split_pictures_and_intervals():
    r = Interval(0.5, 0.4, 0.6)
    cells = (MapCell("student", "jpeg", r, 9), MapCell("student", "hair", r, 12))
    found = replace(measured("jpeg-1", n_boot=20, seed=3), maps=cells, map_method="grad-cam")
    said = map_note(found)
    assert said.startswith("Test part, n = 9 to 12 pictures.")
    assert "bootstrap of 20 resamples of the pictures' lesions (seed 3)." in said
    assert "n = 9 pictures" in map_note(replace(found, maps=cells[:1]))


def test_the_table_of_means_shows_the_models_that_have_titles() -> None:
    found = measured("jpeg-1", n_boot=20)
    whole = mean_table(found)
    (head, *rows) = mean_table(found, titles={"nobody": "Nobody", found.models[-1]: "Last"})
    assert head == ["corruption", "Last"]
    assert rows == [[row[0], row[-1]] for row in whole[1:]]
