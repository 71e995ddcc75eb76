"""Reader studies: people rate explanations blinded, in random order, and nothing given is lost."""

from kdcore.study.answers import Reader, comment, finish, join, list_readers, prefer, rate
from kdcore.study.export import own_rows, preference_rows, rating_rows, study_json, unblind
from kdcore.study.folder import NewCase, Study, create_study, delete_study, list_studies, read_study
from kdcore.study.order import Sight, choose_cases, draw_sights
from kdcore.study.questions import (
    HIGHEST,
    LONGEST_COMMENT,
    LOWEST,
    PREFERENCES,
    QUESTIONS,
    SIDES,
    check_code,
    check_title,
)

__all__ = [
    "HIGHEST",
    "LONGEST_COMMENT",
    "LOWEST",
    "PREFERENCES",
    "QUESTIONS",
    "SIDES",
    "NewCase",
    "Reader",
    "Sight",
    "Study",
    "check_code",
    "check_title",
    "choose_cases",
    "comment",
    "create_study",
    "delete_study",
    "draw_sights",
    "finish",
    "join",
    "list_readers",
    "list_studies",
    "own_rows",
    "prefer",
    "preference_rows",
    "rate",
    "rating_rows",
    "read_study",
    "study_json",
    "unblind",
]
