"""Compare label pictures that a net made with those that were drawn: intersection over union.

    python score.py [--found segmented] [--folder FOLDER] [--sheet sheet.png]

Of a class that is the pixels which both call so, over the pixels which one of them does.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from make_data import CLASSES

_SHOWN = 6
_ZOOM = 2


def confusion(pairs: list[tuple[Path, Path]]) -> np.ndarray:
    """How many pixels of each class (rows) were called what (columns)."""
    counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for drawn, found in pairs:
        truth, said = (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (drawn, found))
        if said is None or truth.shape != said.shape:
            raise SystemExit(f"{found} is missing, or not as large as {drawn}")
        together = truth.astype(np.int64).ravel() * len(CLASSES) + said.ravel()
        counts += np.bincount(together, minlength=counts.size).reshape(counts.shape)
    return counts


def draw_sheet(path: Path, pairs: list[tuple[Path, Path]]) -> None:
    """Pictures above what the net says of them."""
    columns = []
    for drawn, found in pairs[:_SHOWN]:
        picture = cv2.imread(str(drawn.parent.parent / "test" / drawn.name))
        overlay = cv2.imread(str(found).replace("_labels.png", "_overlay.png"))
        columns.append(np.vstack([picture, overlay]))
    sheet = np.hstack(columns)
    large = cv2.resize(sheet, None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_NEAREST)
    cv2.imwrite(str(path), large, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--found", type=Path, default=Path("segmented"))
    parser.add_argument("--folder", type=Path, default=Path())
    parser.add_argument("--sheet", type=Path, help="also draw some pictures with their overlays")
    options = parser.parse_args()
    drawn = sorted((options.folder / "test_labels").glob("*.png"))
    pairs = [(path, options.found / f"{path.stem}_labels.png") for path in drawn]
    counts = confusion(pairs)
    both = counts.diagonal()
    scores = both / np.maximum(counts.sum(0) + counts.sum(1) - both, 1)
    for name, score in zip(CLASSES, scores, strict=True):
        print(f"{name:12} {score:.3f}")
    right = both.sum() / counts.sum()
    print(f"mean IoU {scores.mean():.3f}, {right:.2%} of {counts.sum()} pixels right")
    if options.sheet:
        draw_sheet(options.sheet, pairs)


if __name__ == "__main__":
    main()
