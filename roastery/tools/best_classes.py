"""Which classes have the highest scores."""

from __future__ import annotations

import numpy as np


def best_classes(scores: np.ndarray, top: int) -> list[int]:
    """The ``top`` best of (classes,), the best first; of equal ones the first class.

    Scores that are NaN come last.
    """
    order = np.argsort(-scores, kind="stable")
    return [int(number) for number in order[:top]]
