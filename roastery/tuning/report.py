"""What was tuned, for people."""

from __future__ import annotations

from compiler.kernels.choice import Choice
from ir.text_table import text_table

from .tuner import TuningReport


def tuned_table(report: TuningReport) -> str:
    """The kernels that were measured now, those that gained most first; "" for none."""
    if not report.measured:
        return ""
    rows = [("us", "untuned us", "faster", "choice", "kernel")]
    for entry in sorted(report.measured, key=lambda e: e.microseconds - e.modelled):
        faster = entry.modelled / max(entry.microseconds, 1e-9)
        rows.append(
            (
                f"{entry.microseconds:8.1f}",
                f"{entry.modelled:10.1f}",
                f"{faster:.2f}x" if faster > 1 else "",
                _chosen(entry.choice),
                entry.label,
            )
        )
    return text_table(rows)


def _chosen(choice: Choice) -> str:
    sides = "x".join(str(size) for _, size in choice.config.constants)
    warps = f"{choice.config.num_warps} warps, {choice.config.num_stages} stages"
    parts = f", {choice.splits} parts" if choice.splits > 1 else ""
    return f"{sides}, {warps}{parts}"


def tuning_summary(report: TuningReport) -> str:
    """In a line or a few."""
    before = sum(entry.modelled for entry in report.measured)
    after = sum(entry.microseconds for entry in report.measured)
    text = f"{len(report.measured)} of {report.groups} kernels measured in {report.seconds:.0f} s"
    if report.known:
        text += f", {report.known} were before"
    if report.measured:
        text += f"; one of each takes {after:.1f} us instead of {before:.1f} us"
    left = report.groups - len(report.measured) - report.known - len(report.failed)
    if left > 0:
        text += f"; {left} are left: call it again, or with a longer --time-limit"
    for label, reason in report.failed.items():
        text += f"\nnote: {label} could not be measured: {reason}"
    return text
