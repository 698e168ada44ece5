"""Which classes a net takes for which: a confusion matrix over the batches of a test."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compiler.plan.tables import table
from frontends.prototxt import Message
from frontends.state_rules import filtered
from ir.errors import RoasteryError
from ir.program import LayerInfo, NetProgram
from runtime.solver.nets import RunnableNet

#: Of so many classes at most there is a matrix: half a gigabyte.
_MOST = 8192
#: Of so many classes at most the matrix is printed.
_SHOWN = 30


@dataclass(frozen=True)
class ScoredClasses:
    """A layer of a net that holds scores of classes against labels.

    Attributes:
        layer: its name. classes: how many. axis: of the scores, which has them.
        ignored: the label that counts for nothing.
        scores, labels: outputs that have them, in a net of :func:`with_outputs`.
    """

    layer: str
    classes: int
    axis: int
    ignored: int | None
    scores: str
    labels: str

    @property
    def outputs(self) -> tuple[str, str]:
        """The two that the net has beside its own."""
        return self.scores, self.labels


def scored_layer(program: NetProgram, name: str = "") -> LayerInfo:
    """The layer whose bottoms tell what the net takes for what: the one of this name, or the last
    that only judges (Accuracy), else the last loss.

    Raises RoasteryError where there is none.
    """
    found = [x for x in program.layers if x.labels is not None and x.labels.scores is not None]
    if name:
        named = [layer for layer in found if layer.name == name]
        if named:
            return named[-1]
        told = ", ".join(f"'{layer.name}'" for layer in found) or "none of its layers does"
        raise RoasteryError(
            f"no layer '{name}' of the net compares scores of classes with labels",
            hint=f"these do: {told}" if found else "an Accuracy layer would",
        )
    if not found:
        raise RoasteryError(
            "no layer of the net compares scores of classes with labels, so there is no confusion "
            "matrix",
            location=program.layers[-1].location if program.layers else None,
            hint='a layer of type "Accuracy" or "SoftmaxWithLoss" in phase TEST would: bottom: '
            'the scores, bottom: "label"',
        )
    judges = [layer for layer in found if not any(layer.loss_weights)]
    return (judges or found)[-1]


def with_outputs(net: Message, state: Message, layer: LayerInfo) -> tuple[Message, ScoredClasses]:
    """The net in this state, with two more outputs: what the layer reads as scores and labels.

    Raises RoasteryError for too many classes.
    """
    labels = layer.labels
    assert labels is not None and labels.scores is not None
    if labels.classes > _MOST:
        raise RoasteryError(
            f"layer '{layer.name}' tells {labels.classes} classes; a confusion matrix has at most "
            f"{_MOST}",
            location=layer.location,
        )
    chosen = filtered(net, state)
    taken = {top for each in chosen.layer for top in each.top}
    layers: list[Message] = []
    names: list[str] = []
    for each in chosen.layer:
        if each.location == layer.location and each.name == layer.name and not names:
            for what, bottom in (("scores", 0), ("labels", labels.bottom)):
                name = f"confusion/{what}"
                while name in taken:
                    name += "_"
                layers.append(_copy(each.bottom[bottom], name, each))
                names.append(name)
        layers.append(each)
    scored = ScoredClasses(
        layer.name, int(labels.classes), labels.scores, labels.ignored, names[0], names[1]
    )
    return net.replaced("layer", layers), scored


def _copy(bottom: str, top: str, like: Message) -> Message:
    made = Message("LayerParameter", like.location)
    made.set("name", top)
    made.set("type", "Split")
    made.add("bottom", bottom)
    made.add("top", top)
    return made


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
        text = table([[row[i] for i in used] for row in [head, *rows]])
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
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return table(
            [[row[0], *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
             for row in cells]
        )  # fmt: skip

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
