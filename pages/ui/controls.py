"""Controls that pages share: teacher and student, target class, stage, temperature, opacity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, state
from pages.ui.frame import escaped, guard, show_error

if TYPE_CHECKING:
    from kdcore.models import Card, Checkpoint

LINK = ("teacher", "student")


@dataclass(frozen=True)
class Pair:
    """The chosen teacher and student, loaded; `taught_by` names who taught the student."""

    teacher: Checkpoint
    student: Checkpoint
    taught_by: tuple[str, ...] = ()

    def items(self) -> tuple[tuple[str, Checkpoint], tuple[str, Checkpoint]]:
        """Return ("Teacher", checkpoint), ("Student", checkpoint)."""
        return ("Teacher", self.teacher), ("Student", self.student)


def choose_pair(described: bool = False) -> Pair:
    """Draw the two model pickers and return the loaded pair; ends the page where none is.

    With `described`, a line under each picker says what it is, and lines under both what keeps
    them from being a large network and the small one that it taught.
    """
    offered, teachers, students = _offered()
    left, right = st.columns(2)
    with left:
        teacher = _pick("teacher", "Teacher", teachers)
    classes = teachers[teacher].classes
    same = {n: c for n, c in students.items() if c.classes == classes}
    with right:
        student = _pick("student", "Student", same or students)
    with guard(stop=True):
        pair = Pair(
            cache.load(*offered[teacher]),
            cache.load(*offered[student], classes),
            _teachers(students[student], offered),
        )
    if described:
        left.caption(describe(pair.teacher, _teachers(teachers[teacher], offered)))
        right.caption(describe(pair.student, pair.taught_by))
        _warn_of_weak_teacher(pair)
        show_kinship(pair)
    return pair


def first_pair() -> Pair:
    """Return the pair of HAM10000 that was chosen last, or else the one offered first, loaded.

    Ends the page where there is none.
    """
    from kdcore.data import HAM10000

    offered, teachers, students = _offered(HAM10000.classes)
    teacher, student = (
        kept if (kept := state.get(name)) in named else next(iter(named))
        for name, named in (("teacher", teachers), ("student", students))
    )
    with guard(stop=True):
        pair = Pair(
            cache.load(*offered[teacher]),
            cache.load(*offered[student]),
            _teachers(students[student], offered),
        )
    return pair


def choose_target(classes: tuple[str, ...], first: str, names: dict[str, str]) -> str:
    """Draw the target class picker; "" in the link means the teacher's first choice."""
    options = ["", *classes]
    target = state.choice(
        st.selectbox,
        "target",
        "Explain the class",
        options,
        format_func=lambda c: class_label(c, names) if c else "Teacher's first choice",
        help="Teacher and student are explained for the same class, so that maps compare.",
    )
    return target or first


def class_label(short: str, names: dict[str, str], form: str = "{} · {}") -> str:
    """Return a class's name with that for people, or alone where the two are one."""
    same = names[short] == short.replace("_", " ") or names[short] == short
    return short if same else form.format(short, names[short])


def choose_stage(pair: Pair) -> int:
    """Draw the stage picker; stages are counted back from the last, as networks differ."""
    depth = min(len(pair.teacher.model.stage_names), len(pair.student.model.stage_names))
    options = [str(-back) for back in range(1, depth + 1)]
    return int(
        state.choice(
            st.selectbox,
            "stage",
            "Stage",
            options,
            format_func=lambda s: stage_label(pair, int(s)),
            help="Late stages see what a thing is, early ones where edges and colours are.",
        )
    )


def stage_label(pair: Pair, stage: int) -> str:
    """Return how people read a stage: its place from the end and both networks' names for it."""
    place = {-1: "Last", -2: "2nd from last", -3: "3rd from last"}.get(stage)
    place = place or f"{-stage}th from last"
    teacher, student = pair.teacher.model.stage_names, pair.student.model.stage_names
    return f"{place} ({teacher[stage]} / {student[stage]})"


def choose_temperature(default: float = 4.0) -> float:
    """Draw the temperature slider, 1 to 20."""
    return state.slide(
        "T",
        "Temperature T",
        1.0,
        20.0,
        default,
        0.5,
        help="Logits are divided by T before the softmax; distillation trains on the softened.",
    )


def choose_opacity() -> float:
    """Draw the opacity slider of the maps, 0 to 1."""
    return state.slide(
        "opacity", "Opacity of the map", 0.0, 1.0, 0.5, 0.05, help="0 shows the picture alone."
    )


def choose_q() -> float:
    """Draw the slider of the causal mask's fraction."""
    return state.slide(
        "q",
        "Share q of the picture in the causal mask",
        0.05,
        0.6,
        0.2,
        0.05,
        help="The mask holds the cells whose activation speaks most for the target class.",
    )


def describe(checkpoint: Checkpoint, taught_by: tuple[str, ...]) -> str:
    """Return one line on a checkpoint: what it is, who taught it, its size, how good it is."""
    card = checkpoint.card
    what = " + ".join(card.members) if card.members else card.architecture
    teachers = ", ".join(taught_by)
    parts = [what, f"{card.input_size}² px", cache.parameters(checkpoint)]
    if teachers or card.role != "teacher":
        parts.append(f"taught by {teachers}" if teachers else "trained without a teacher")
    score = (card.metrics.get("test") or {}).get("macro_f1")
    if score and None not in score.values():
        low, high = score["low"], score["high"]
        parts.append(f"macro-F1 {score['value']:.2f} [{low:.2f}, {high:.2f}] on test images")
    return " · ".join(parts)


def show_kinship(pair: Pair) -> None:
    """Say where another network taught the student, or it is no smaller than the teacher."""
    show_teachers(pair)
    teacher, student = (checkpoint.card for _, checkpoint in pair.items())
    if _no_smaller(student, teacher, pair.student.hash, pair.teacher.hash):
        st.caption(
            ":material/info: This student has no fewer parameters than the teacher shown here. "
            f"Teacher: {cache.parameters(pair.teacher)}, pictures of {teacher.input_size}² px. "
            f"Student: {cache.parameters(pair.student)}, {student.input_size}² px."
        )


def show_teachers(pair: Pair) -> None:
    """Say who taught the student, where that is not the teacher shown."""
    teacher = pair.teacher.card
    if pair.taught_by and (teacher.title or teacher.name) not in pair.taught_by:
        st.caption(
            f":material/info: This student was taught by {', '.join(pair.taught_by)}, not by the "
            "teacher shown here."
        )


@st.cache_data(max_entries=64, show_spinner=False)
def _no_smaller(_student: Card, _teacher: Card, student: str, teacher: str) -> bool:
    from kdcore.models.size import parameter_count

    return parameter_count(_student) >= parameter_count(_teacher)


def _teachers(card: Card, found: dict[str, tuple[Path, Card]]) -> tuple[str, ...]:
    """Return who taught a network, by the titles of those that are here."""
    from kdcore.report.checkpoints import taught_names

    titles = {name: other.title or name for name, (_, other) in found.items()}
    return tuple(titles.get(name, name) for name in taught_names(card))


def _warn_of_weak_teacher(pair: Pair) -> None:
    from kdcore.models import strength

    teacher, student = (strength(checkpoint.card) for _, checkpoint in pair.items())
    if teacher < student:
        told = f" (macro-F1 {teacher:.2f} and {student:.2f})" if teacher >= 0 else ""
        st.caption(
            ":material/info: On validation images this teacher scores less than this student"
            f"{told}, so where the two differ its answer is not the better one by itself."
        )


def _offered(
    classes: tuple[str, ...] = (),
) -> tuple[dict[str, tuple[Path, Card]], dict[str, Card], dict[str, Card]]:
    """Return `cards`, teachers, and students; ends the page where one is missing.

    The first of each are what a newcomer is shown: of teachers the first in `card_order`, and the
    strongest student that it taught.
    """
    from kdcore.base import CHECKPOINTS_VARIABLE
    from kdcore.report.checkpoints import taught_names

    found = cards(classes)
    teachers = {n: c for n, (_, c) in found.items() if c.role == "teacher"}
    first = next(iter(teachers), "")
    students = {n: c for n, (_, c) in found.items() if c.role != "teacher"}
    own = {n for n, c in students.items() if first in taught_names(c)}
    students = {n: students[n] for n in sorted(students, key=lambda n: n not in own)}
    if not teachers or not students:
        st.info(
            "A teacher and a student are needed, and the checkpoint folder lacks one of them. "
            "Train them with `python -m kdcore train RECIPE`, or name a folder that has both in "
            f"the variable `{CHECKPOINTS_VARIABLE}`.",
            icon=":material/model_training:",
        )
        st.stop()
    return found, teachers, students


def _pick(name: str, label: str, cards: dict[str, Card]) -> str:
    from kdcore.models import strength

    first = next(iter(cards))
    wanted = state.get(name)
    if wanted and wanted not in cards:
        st.caption(
            f":material/link_off: {escaped(wanted)} can't be the {label.lower()} here: it is "
            "missing, of another role, or of other classes. Another is shown."
        )
    own = (n for n, card in cards.items() if card.classes == cards[first].classes)
    strongest = max(own, key=lambda n: strength(cards[n]))
    marked = strongest if len(cards) > 1 and name == "teacher" else None

    def title(n: str) -> str:
        from kdcore.report.checkpoints import data_name

        of = "" if cards[n].classes == cards[first].classes else f" · {data_name(cards[n].classes)}"
        return f"{cards[n].title or n}{' · strongest' if n == marked else of}"

    told = "Strongest: by macro-F1 on validation images, on which models are chosen."
    more = {"help": told} if marked else {}
    return state.choice(st.selectbox, name, label, list(cards), format_func=title, **more)


def cards(classes: tuple[str, ...] = ()) -> dict[str, tuple[Path, Card]]:
    """Return folder and card of each readable checkpoint by folder name; say which are not.

    With `classes`, only checkpoints of these. Those of HAM10000 come first, since scores on other
    data sets do not compare with theirs.
    """
    from kdcore.base import KdError, checkpoints_folder, runs_folder
    from kdcore.data import HAM10000
    from kdcore.models import card_order, read_card

    found = {}
    kept, own = checkpoints_folder(), runs_folder()
    for path in (*sorted(own.glob("*/checkpoint/card.json")), *sorted(kept.glob("*/card.json"))):
        try:
            card = read_card(path.parent)
        except KdError as error:
            show_error(error)
            continue
        if not classes or card.classes == classes:
            found[card.name if own in path.parents else path.parent.name] = (path.parent, card)

    def order(item: tuple[str, tuple[Path, Card]]) -> tuple[object, ...]:
        card = item[1][1]
        return card.classes != HAM10000.classes, card.classes, card_order(card)

    return dict(sorted(found.items(), key=order))
