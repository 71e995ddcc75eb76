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
from kdcore.charts.training import (
    agreement_chart,
    comparison_chart,
    loss_chart,
    rate_chart,
    score_chart,
    throughput_chart,
)

__all__ = [
    "STUDENT",
    "TEACHER",
    "agreement_chart",
    "class_count_chart",
    "comparison_chart",
    "deletion_chart",
    "entropy_chart",
    "gradient_chart",
    "loss_chart",
    "probability_view",
    "rate_chart",
    "score_chart",
    "similarity_chart",
    "softened_view",
    "throughput_chart",
    "warm_up",
]
