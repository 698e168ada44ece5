"""The table that a run ends with."""

from __future__ import annotations

import collections
import datetime
import os
import platform
from dataclasses import dataclass, field

from roastery._version import __version__

from .verdict import FAILURES, Verdict


@dataclass
class Row:
    """What a reader did with its inputs."""

    read: int = 0
    refused: int = 0
    failed: int = 0
    slowest: float = 0.0
    largest: int = 0
    busy: float = 0.0

    @property
    def inputs(self) -> int:
        return self.read + self.refused + self.failed


@dataclass
class Report:
    """Counts verdicts, and keeps one failure of every cause."""

    rows: dict[str, Row] = field(default_factory=lambda: collections.defaultdict(Row))
    causes: dict[tuple[str, str, str], list[Verdict]] = field(
        default_factory=lambda: collections.defaultdict(list)
    )

    def add(self, verdict: Verdict) -> None:
        """Count one verdict."""
        row = self.rows[verdict.target]
        if verdict.outcome in FAILURES:
            row.failed += 1
            self.causes[verdict.target, verdict.outcome, verdict.key].append(verdict)
        elif verdict.outcome == "read":
            row.read += 1
        else:
            row.refused += 1
        row.busy += verdict.seconds
        row.slowest = max(row.slowest, verdict.seconds)
        row.largest = max(row.largest, verdict.mebibytes)

    @property
    def failed(self) -> int:
        """How many inputs failed."""
        return sum(row.failed for row in self.rows.values())

    def markdown(self, command: str, minutes: float, seed: int) -> str:
        """The table, and the causes of failures below it."""
        inputs = sum(row.inputs for row in self.rows.values())
        lines = [
            "# Damaged, odd and hostile inputs",
            "",
            f"`{command}`, {datetime.date.today().isoformat()}, Roastery {__version__}, Python "
            f"{platform.python_version()}, {platform.machine()} with {os.cpu_count()} cores: "
            f"{inputs:,} inputs over {len(self.rows)} readers in {minutes:.1f} minutes (seed "
            f"{seed}), {self.failed} failures.",
            "",
            "Read: as valid. Refused: with one clear error. Failed: any other exception, a crash, "
            "more than 10 s or 1 GiB, files changed by reading, or damage in a checksummed format "
            "that went unnoticed.",
            "",
            "| reader | inputs | read | refused | failed | slowest (s) | most memory (MiB) |",
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        for name, row in sorted(self.rows.items()):
            lines.append(
                f"| {name} | {row.inputs:,} | {row.read:,} | {row.refused:,} | {row.failed:,} | "
                f"{row.slowest:.2f} | {row.largest:,} |"
            )
        if self.causes:
            lines += ["", "Failures, one of each cause:", ""]
        for (target, outcome, key), found in sorted(self.causes.items()):
            first = found[0]
            lines.append(
                f"* {target}, {len(found)} x {outcome} ({FAILURES[outcome]}): {key}; first: number "
                f"{first.number}. {first.detail}"
            )
        return "\n".join(lines) + "\n"
