"""MultiBoxLoss against plain loops, over many choices of its parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from tests.support.detection_data import priors, truth
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun

BATCH, PRIORS = 3, 19

DEFAULTS: Mapping[str, Any] = {
    "loc_loss_type": "SMOOTH_L1",
    "conf_loss_type": "SOFTMAX",
    "loc_weight": 1.0,
    "num_classes": 4,
    "share_location": True,
    "match_type": "PER_PREDICTION",
    "overlap_threshold": 0.5,
    "use_prior_for_matching": True,
    "background_label_id": 0,
    "use_difficult_gt": True,
    "neg_pos_ratio": 3.0,
    "neg_overlap": 0.5,
    "code_type": "CORNER",
    "encode_variance_in_target": False,
    "ignore_cross_boundary_bbox": False,
    "bp_inside": False,
    "mining_type": "MAX_NEGATIVE",
    "sample_size": 64,
    "use_prior_for_nms": False,
    "map_object_to_agnostic": False,
}


class Plain:
    """The loss of one batch, prior by prior, as SSD's loops find it."""

    def __init__(self, given: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        self.p = {**DEFAULTS, **given}
        self.classes = self.p["num_classes"]
        self.kinds = 1 if self.p["share_location"] else self.classes
        self.background = self.p["background_label_id"]
        self.prior, self.variance = arrays["prior"].reshape(2, PRIORS, 4)
        self.told = arrays["loc"].reshape(BATCH, PRIORS, self.kinds, 4)
        self.scores = arrays["conf"].reshape(BATCH, PRIORS, self.classes)
        self.truth: dict[int, list[np.ndarray]] = {}
        for row in arrays["gt"].reshape(-1, 8):
            if row[0] != -1 and (self.p["use_difficult_gt"] or not row[7]):
                self.truth.setdefault(int(row[0]), []).append(row)

    # --- boxes ------------------------------------------------------------------------

    def encode(self, i: int, box: np.ndarray) -> np.ndarray:
        prior, variance = self.prior[i], self.variance[i]
        size = prior[2:] - prior[:2]
        if self.p["code_type"] == "CORNER":
            told = box - prior
        elif self.p["code_type"] == "CORNER_SIZE":
            told = (box - prior) / np.tile(size, 2)
        else:
            away = (box[:2] + box[2:] - prior[:2] - prior[2:]) / 2 / size
            told = np.concatenate([away, np.log((box[2:] - box[:2]) / size)])
        return told if self.p["encode_variance_in_target"] else told / variance

    def decode(self, i: int, told: np.ndarray) -> np.ndarray:
        prior = self.prior[i]
        size = prior[2:] - prior[:2]
        if not self.p["encode_variance_in_target"]:
            told = told * self.variance[i]
        if self.p["code_type"] == "CORNER":
            return prior + told
        if self.p["code_type"] == "CORNER_SIZE":
            return prior + told * np.tile(size, 2)
        centre = told[:2] * size + (prior[:2] + prior[2:]) / 2
        half = np.exp(told[2:]) * size / 2
        return np.concatenate([centre - half, centre + half])

    @staticmethod
    def area(a: np.ndarray) -> float:
        return 0.0 if a[2] < a[0] or a[3] < a[1] else float((a[2] - a[0]) * (a[3] - a[1]))

    def overlap(self, a: np.ndarray, c: np.ndarray) -> float:
        width = min(a[2], c[2]) - max(a[0], c[0])
        height = min(a[3], c[3]) - max(a[1], c[1])
        if width <= 0 or height <= 0:
            return 0.0
        common = width * height
        return float(common / (self.area(a) + self.area(c) - common))

    # --- matches ----------------------------------------------------------------------

    def match(
        self, boxes: np.ndarray, rows: list[np.ndarray], label: int
    ) -> tuple[list[int], list[float]]:
        found, best = [-1] * PRIORS, [0.0] * PRIORS
        these = [g for g, row in enumerate(rows) if label in (-1, int(row[1]))]
        if not these:
            return found, best
        overlaps: dict[tuple[int, int], float] = {}
        for i, box in enumerate(boxes):
            if self.p["ignore_cross_boundary_bbox"] and (box.min() < 0 or box.max() > 1):
                found[i] = -2
                continue
            for g in these:
                overlap = self.overlap(box, rows[g][3:7])
                if overlap > 1e-6:
                    best[i] = max(best[i], overlap)
                    overlaps[i, g] = overlap
        pool = list(these)
        while pool:
            pairs = [(o, i, g) for (i, g), o in overlaps.items() if found[i] == -1 and g in pool]
            if not pairs:
                break
            overlap, i, g = max(pairs, key=lambda pair: (pair[0], -pair[1], -pair[2]))
            found[i], best[i] = g, overlap
            pool.remove(g)
        if self.p["match_type"] == "PER_PREDICTION":
            for i in range(PRIORS):
                near = [(overlaps.get((i, g), -1.0), -g) for g in these]
                if found[i] == -1 and max(near)[0] >= self.p["overlap_threshold"]:
                    best[i], found[i] = max(near)[0], -max(near)[1]
        return found, best

    def matches(self, n: int) -> dict[int, tuple[list[int], list[float]]]:
        """By class, or -1 for all, of one image; empty where it has no boxes."""
        rows = self.truth.get(n)
        if rows is None:
            return {}
        classes = [c for c in range(self.classes) if c != self.background]
        if not self.p["use_prior_for_matching"]:
            kinds = [-1] if self.p["share_location"] else classes
            return {
                c: self.match(
                    np.array([self.decode(i, self.told[n, i, max(c, 0)]) for i in range(PRIORS)]),
                    rows,
                    c,
                )
                for c in kinds
            }
        found, best = self.match(self.prior, rows, -1)
        if self.p["share_location"]:
            return {-1: (found, best)}
        return {
            c: ([g if g >= 0 and int(rows[g][1]) == c else -1 for g in found], best)
            for c in classes
        }

    # --- losses -----------------------------------------------------------------------

    def offset_loss(self, n: int, i: int, kind: int, g: int) -> float:
        row, told = self.truth[n][g], self.told[n, i, max(kind, 0)]
        away = told - self.encode(i, row[3:7])
        if self.p["bp_inside"]:
            by_prior = self.p["use_prior_for_matching"]
            box = self.prior[i] if by_prior else self.decode(i, told)
            away = np.where((box < 0) | (box > 1), 0.0, away)
        if self.p["encode_variance_in_target"]:
            away = away / self.variance[i]
        near = 0.5 * away**2
        if self.p["loc_loss_type"] == "L2":
            return float(near.sum())
        return float(np.where(np.abs(away) < 1, near, np.abs(away) - 0.5).sum())

    def score_loss(self, n: int, i: int, target: int | np.ndarray) -> float:
        x = self.scores[n, i]
        if isinstance(target, np.ndarray):
            return float((np.logaddexp(0.0, x) - x * target).sum())
        return float(np.log(np.exp(x - x.max()).sum()) + x.max() - x[target])

    def one_hot(self, label: int, others: float) -> np.ndarray:
        wanted = np.full(self.classes, others)
        wanted[label] = 1.0
        return wanted

    def mined(self, n: int, found: list[int], best: list[float]) -> set[int]:
        p, softmax = self.p, self.p["conf_loss_type"] == "SOFTMAX"
        loss = []
        for i, g in enumerate(found):
            label = self.background if g < 0 else int(self.truth[n][g][1])
            target = label if softmax else self.one_hot(label, 0.0)
            loss.append(self.score_loss(n, i, target))
        if p["mining_type"] == "MAX_NEGATIVE":
            may = [i for i in range(PRIORS) if found[i] == -1 and best[i] < p["neg_overlap"]]
            count = min(int(sum(g > -1 for g in found) * p["neg_pos_ratio"]), len(may))
        else:
            may, count = list(range(PRIORS)), min(p["sample_size"], PRIORS)
            loss = [x + self.offset_loss(n, i, -1, found[i]) * (found[i] >= 0) if found[i] >= 0
                    else x for i, x in enumerate(loss)]  # fmt: skip
        order = sorted(may, key=lambda i: -loss[i])
        if "nms_threshold" in p and p["nms_threshold"] > 0:
            order = self.suppressed(n, order, p["nms_threshold"], p.get("top_k", 0))
        return set(order[: max(count, 0)])

    def suppressed(self, n: int, order: list[int], threshold: float, top_k: int) -> list[int]:
        if top_k > -1:
            order = order[:top_k]
        box = {
            i: self.prior[i] if self.p["use_prior_for_nms"] else self.decode(i, self.told[n, i, 0])
            for i in order
        }
        kept: list[int] = []
        for i in order:
            clear = all(self.overlap(box[i], box[j]) <= threshold for j in kept)
            if self.area(box[i]) >= 1e-5 and clear:
                kept.append(i)
        return kept

    def loss(self) -> float:
        p, softmax = self.p, self.p["conf_loss_type"] == "SOFTMAX"
        mines = p["mining_type"] != "NONE"
        offsets, scores, count = 0.0, 0.0, 0
        labels = np.full((BATCH, PRIORS), self.background)
        flat = np.full(self.scores.size, float(self.background))
        for n in range(BATCH):
            for kind, (found, best) in self.matches(n).items():
                chosen = self.mined(n, found, best) if mines else set()
                for i, g in enumerate(found):
                    if p["mining_type"] == "HARD_EXAMPLE" and i not in chosen and g >= 0:
                        continue
                    if g >= 0:
                        label = int(self.truth[n][g][1])
                        if p["map_object_to_agnostic"]:
                            label = self.background + 1
                        offsets += self.offset_loss(n, i, kind, g)
                        count += 1
                        labels[n, i] = label
                        flat[n * PRIORS + i * self.classes + label] = 1.0
                    elif g == -1 and i in chosen:
                        label = self.background
                    else:
                        continue
                    if mines:
                        others = float(self.background)
                        target = label if softmax else self.one_hot(label, others)
                        scores += self.score_loss(n, i, target)
        if not mines:
            targets = flat.reshape(self.scores.shape)
            for n, i in np.ndindex(BATCH, PRIORS):
                scores += self.score_loss(n, i, labels[n, i] if softmax else targets[n, i])
        return (p["loc_weight"] * offsets + scores) / max(1, count)


def choices() -> Iterator[dict[str, Any]]:
    """One of each parameter's values at a time, by a generator with a fixed start."""
    rng = np.random.default_rng(11)

    def one(*of: Any) -> Any:
        return of[rng.integers(len(of))]

    for _ in range(40):
        given = {
            "loc_loss_type": one("SMOOTH_L1", "L2"),
            "conf_loss_type": one("SOFTMAX", "LOGISTIC"),
            "loc_weight": one(1.0, 0.5),
            "share_location": one(True, True, False),
            "match_type": one("PER_PREDICTION", "BIPARTITE"),
            "overlap_threshold": one(0.5, 0.3),
            "use_prior_for_matching": one(True, True, False),
            "background_label_id": one(0, 0, 2),
            "use_difficult_gt": one(True, False),
            "neg_pos_ratio": one(3.0, 1.5, 0.5),
            "neg_overlap": one(0.5, 0.2),
            "code_type": one("CORNER", "CENTER_SIZE", "CORNER_SIZE"),
            "encode_variance_in_target": one(True, False),
            "ignore_cross_boundary_bbox": one(True, False),
            "bp_inside": one(True, False),
            "mining_type": one("MAX_NEGATIVE", "MAX_NEGATIVE", "HARD_EXAMPLE", "NONE"),
            "sample_size": one(64, 5),
            "use_prior_for_nms": one(True, False),
        }
        if not given["share_location"]:
            given["mining_type"] = "NONE"
        if given["mining_type"] != "NONE" and rng.random() < 0.5:
            given |= {"nms_threshold": one(0.3, 0.6), "top_k": one(-1, 7, 0)}
        if rng.random() < 0.2:
            given |= {"map_object_to_agnostic": True, "num_classes": 2, "background_label_id": 0}
        yield given


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _param(given: Mapping[str, Any]) -> str:
    nms = {k: given[k] for k in ("nms_threshold", "top_k") if k in given}
    lines = [f"{k}: {_text(v)}" for k, v in {"num_classes": 4, **given}.items() if k not in nms]
    if nms:
        # Caffe's top_k is 0 where it is not given.
        inner = " ".join(f"{k}: {v}" for k, v in nms.items() if (k, v) != ("top_k", 0))
        lines.append(f"nms_param {{ {inner} }}")
    return " ".join(lines)


@pytest.mark.parametrize("number", range(40))
def test_equals_plain_loops(number: int) -> None:
    given = list(choices())[number]
    classes = given.get("num_classes", 4)
    kinds = 1 if given["share_location"] else classes
    rng = np.random.default_rng(number)
    prior = priors(rng, PRIORS, beyond=True)
    items = [0, 2, 2, 0, 2, -1, 9] if number % 5 else [-1]
    rows = truth(rng, items, classes, prior[0, 0].reshape(-1, 4))
    if given["background_label_id"] == 2:
        rows[..., 1] = np.where(rows[..., 1] == 2, 0, rows[..., 1])
    arrays = {
        "loc": rng.standard_normal((BATCH, PRIORS * 4 * kinds)) * 0.5,
        "conf": rng.standard_normal((BATCH, PRIORS * classes)),
        "prior": prior,
        "gt": rows,
    }
    text = (
        'layer { name: "l" type: "MultiBoxLoss" bottom: "loc" bottom: "conf" bottom: "prior" '
        f'bottom: "gt" top: "loss" multibox_loss_param {{ {_param(given)} }} }}'
    )
    net = net_text(text, **{name: a.shape for name, a in arrays.items()})
    run = LayerRun(LayerCase("MultiBoxLoss", "l", net))
    run.values.update(arrays)
    expected = Plain(given, arrays).loss()
    assert math.isfinite(expected)
    assert float(run.forward()["loss"]) == pytest.approx(expected, rel=1e-9)
