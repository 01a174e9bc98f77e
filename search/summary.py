"""What a command says at its end."""

from __future__ import annotations

from search.progress import percent
from search.run import RunResult

__all__ = ["run_summary"]


def run_summary(result: RunResult, study: str) -> str:
    """Returns the lines that end a run."""
    lines = [
        f"{result.name}: {result.trained} trained, {result.rejected} rejected "
        f"in {result.seconds:.0f} s"
    ]
    best = result.best
    if best is None:
        lines.append("no trial has completed yet")
    else:
        lines += [
            f"best: trial {best.number}, {best.parameters:,} parameters, "
            f"validation floor {percent(best.score)}",
            *(f"    {layer}" for layer in (best.architecture or "").splitlines()),
        ]
        if result.target is not None:
            reached = "reached" if (best.score or 0) >= result.target else "not reached"
            lines.append(f"target {percent(result.target)}: {reached} on validation")
    if result.trained < result.total:
        lines.append(f"{result.total - result.trained} trials to go: flyweight run {study}")
    else:
        lines.append(f"next: flyweight confirm {study}")
    return "\n".join(lines)
