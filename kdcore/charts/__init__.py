"""Results to Altair charts: they draw, they never compute."""

from kdcore.charts.data import class_count_chart
from kdcore.charts.explanation import deletion_chart
from kdcore.charts.probability import probability_view, warm_up
from kdcore.charts.style import STUDENT, TEACHER
from kdcore.charts.temperature import (
    entropy_chart,
    gradient_chart,
    similarity_chart,
    softened_view,
)

__all__ = [
    "STUDENT",
    "TEACHER",
    "class_count_chart",
    "deletion_chart",
    "entropy_chart",
    "gradient_chart",
    "probability_view",
    "similarity_chart",
    "softened_view",
    "warm_up",
]
