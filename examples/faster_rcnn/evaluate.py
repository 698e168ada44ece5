"""Mean average precision of what `roastery detect_objects --json` found in a set of pictures.

    python evaluate.py found.json SHAPES [--list test.txt]

SHAPES is a folder that examples/ssd/make_set.py wrote; pictures that the list does not name are not
looked at. A box is right if it shares more than half of the area of both with an object of its
class that no better box found. Precision is taken at eleven recalls, as in PASCAL VOC 2007.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from voc import CLASSES, read_boxes

RECALLS = np.linspace(0, 1, 11)


def main() -> None:
    """Print the precision of each class, and their mean."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("found", type=Path)
    parser.add_argument("shapes", type=Path)
    parser.add_argument("--list", default="test.txt")
    chosen = parser.parse_args()
    lines = (chosen.shapes / chosen.list).read_text().splitlines()
    annotations = {Path(line.split()[0]).stem: line.split()[1] for line in lines}
    objects = {name: read_boxes(chosen.shapes / file) for name, file in annotations.items()}
    told = json.loads(chosen.found.read_text())
    found = {Path(each["image"]).stem: each["objects"] for each in told}
    precisions = []
    for label, name in enumerate(CLASSES[1:], 1):
        there = {n: boxes[boxes[:, 4] == label, :4] for n, boxes in objects.items()}
        rows = [
            (row["score"], picture, row["box"])
            for picture in there
            for row in found.get(picture, [])
            if row["label"] == label
        ]
        precisions.append(average_precision(rows, there))
        print(f"{name:10} {precisions[-1]:.3f}")
    print(f"mean       {np.mean(precisions):.3f} on {len(objects)} pictures")


def average_precision(
    rows: list[tuple[float, str, list[float]]], there: dict[str, np.ndarray]
) -> float:
    """Of the boxes of one class: the best precision from each recall on, on average."""
    taken = {name: np.zeros(len(boxes), bool) for name, boxes in there.items()}
    right = []
    for _, name, box in sorted(rows, key=lambda row: -row[0]):
        shared = overlaps(np.array(box), there[name])
        best = int(shared.argmax()) if len(shared) else -1
        hit = best >= 0 and shared[best] > 0.5 and not taken[name][best]
        if hit:
            taken[name][best] = True
        right.append(hit)
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(hits) + 1)
    recall = hits / max(1, sum(map(len, there.values())))
    return float(np.mean([precision[recall >= r].max(initial=0.0) for r in RECALLS]))


def overlaps(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Common area of a box with each of others, as a part of the area of both."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return common / (np.prod(box[2:] - box[:2]) + areas - common)


if __name__ == "__main__":
    main()
