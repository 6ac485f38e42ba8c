"""Is this gradient right? Compare it with slopes that were measured, and if it is wrong, find the gate to blame."""

from handgrad.gradient_check.comparing import TOLERANCE
from handgrad.gradient_check.of_gates import check_gate
from handgrad.gradient_check.of_graphs import check_graph
from handgrad.gradient_check.reports import GradientCheckError, GradientCheckWarning, GradientReport, verdict_line

__all__ = [
    "TOLERANCE",
    "GradientCheckError",
    "GradientCheckWarning",
    "GradientReport",
    "check_gate",
    "check_graph",
    "verdict_line",
]
