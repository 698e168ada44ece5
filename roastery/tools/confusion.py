"""Which classes a net takes for which: a confusion matrix over the batches of a test."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ir.text_table import text_table
from runtime.solver.nets import RunnableNet

from .scored_classes import ScoredClasses

#: Of so many classes at most the matrix is printed.
_SHOWN = 30


class Confusion:
    """Counts, batch by batch, what positions of each class were taken for.

    Attributes:
        counts: (classes, classes), int64: by label, then by the class with the highest score.
        unanswered: (classes,): positions with a score that is NaN, which say nothing.
        nameless: how many labels name no class.
    """

    def __init__(self, scored: ScoredClasses, names: Sequence[str] = ()) -> None:
        self.scored = scored
        self.counts = np.zeros((scored.classes, scored.classes), np.int64)
        self.unanswered = np.zeros(scored.classes, np.int64)
        self.nameless = 0
        self._names = names

    def add(self, net: RunnableNet) -> None:
        """Count what the net's last forward pass says."""
        scored = self.scored
        self.add_scores(net.output(scored.scores), net.output(scored.labels))

    def add_scores(self, scores: np.ndarray, labels: np.ndarray) -> None:
        """``scores``: classes on the axis; ``labels``: one for each position, in their order."""
        classes = self.scored.classes
        if scores.shape[self.scored.axis] != classes:  # a row of all that one input has
            scores = scores.reshape(len(scores), classes)
        rows = np.moveaxis(scores, self.scored.axis, -1).reshape(-1, classes)
        flat = labels.reshape(-1)
        if self.scored.ignored is not None:
            counts = flat != self.scored.ignored
            rows, flat = rows[counts], flat[counts]
        named = (flat >= 0) & (flat < classes)
        self.nameless += int(np.count_nonzero(~named))
        rows, flat = rows[named], flat[named].astype(np.int64)
        said = ~np.isnan(rows).any(1)
        self.unanswered += np.bincount(flat[~said], minlength=classes)
        np.add.at(self.counts, (flat[said], rows[said].argmax(1)), 1)

    # --- what it comes to ---------------------------------------------------------------

    def name(self, number: int) -> str:
        """Of a class; its number where it has no name."""
        named = self._names[number] if number < len(self._names) else ""
        return named or str(number)

    @property
    def totals(self) -> np.ndarray:
        """How many positions each class has, (classes,)."""
        return self.counts.sum(1) + self.unanswered

    @property
    def accuracy(self) -> float | None:
        """Of all positions; None where there are none."""
        return _share(int(np.trace(self.counts)), int(self.totals.sum()))

    def rows(self) -> list[dict[str, Any]]:
        """Of each class: label, name, how many positions it has, how many are right, and the share
        of these among its own (``accuracy``) and among what was taken for it (``precision``)."""
        said, totals, right = self.counts.sum(0), self.totals, self.counts.diagonal()
        return [
            {
                "label": n,
                "name": self.name(n),
                "count": int(totals[n]),
                "right": int(right[n]),
                "accuracy": _share(int(right[n]), int(totals[n])),
                "precision": _share(int(right[n]), int(said[n])),
            }
            for n in range(self.scored.classes)
        ]

    def text(self) -> str:
        """For people: a line for each class that occurs, and the matrix of a few classes."""
        head = ["class", "name", "count", "right", "accuracy", "precision", "mostly taken for"]
        rows = [
            [
                str(row["label"]),
                row["name"] if self._names else "",
                str(row["count"]),
                str(row["right"]),
                _shown(row["accuracy"]),
                _shown(row["precision"]),
                self._mistaken(row["label"]),
            ]
            for row in self.rows()
            if row["count"] or row["precision"] is not None
        ]
        right, total = int(np.trace(self.counts)), int(self.totals.sum())
        rows.append(["all", "", str(total), str(right), _shown(self.accuracy), "", ""])
        used = [i for i in range(len(head)) if any(row[i] for row in rows)]
        text = text_table([[row[i] for i in used] for row in [head, *rows]])
        if self.scored.classes <= _SHOWN:
            text += f"\n{self._matrix()}"
        if self.unanswered.any():
            text += f"\n{self.unanswered.sum()} of them with scores that are NaN\n"
        if self.nameless:
            text += f"\n{self.nameless} labels name no class and are left out\n"
        return text

    def _matrix(self) -> str:
        size = self.scored.classes
        names = [self.name(n) for n in range(size)]
        cells = [["label \\ said", *names], *([n, *map(str, c)] for n, c in
                 zip(names, self.counts.tolist(), strict=True))]  # fmt: skip
        return text_table(cells, numbers=range(1, size + 1))

    def _mistaken(self, label: int) -> str:
        others = self.counts[label].copy()
        others[label] = 0
        most = int(others.argmax())
        return f"{self.name(most)} ({others[most]})" if others[most] else ""

    def as_csv(self) -> str:
        """The matrix, labels down and what the net says across, and the accuracy of each class."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        rows = self.rows()
        writer.writerow(["label", *(row["name"] for row in rows), "accuracy"])
        for row, counts in zip(rows, self.counts.tolist(), strict=True):
            share = "" if row["accuracy"] is None else f"{row['accuracy']:.6g}"
            writer.writerow([row["name"], *counts, share])
        return out.getvalue()

    def as_json(self) -> str:
        """Everything."""
        document = {
            "layer": self.scored.layer,
            "accuracy": self.accuracy,
            "count": int(self.totals.sum()),
            "classes": self.rows(),
            "matrix": self.counts.tolist(),
            "not_a_number": self.unanswered.tolist(),
            "labels_without_class": self.nameless,
        }
        return json.dumps(document, indent=1) + "\n"


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _shown(share: float | None) -> str:
    return "" if share is None else f"{share:.4f}"
