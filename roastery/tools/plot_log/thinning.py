"""What of a long curve a picture can show."""

from __future__ import annotations

import numpy as np

#: Pieces that a curve is thinned to: more than the picture has columns of pixels.
PIECES = 2000


def line_pieces(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points to draw: the curve is broken where ``x`` goes back, as where a run was resumed.

    Args:
        x, y: (points,), float64; NaN in ``y`` breaks the curve.

    Returns:
        the same curve with at most five points for each of ``PIECES`` pieces: its first, last,
        lowest and highest, and where it is broken.
    """
    back = np.flatnonzero(np.diff(x) < 0) + 1
    x, y = np.insert(x, back, x[back]), np.insert(y, back, np.nan)
    if y.size <= 4 * PIECES:
        return x, y
    width = -(-y.size // PIECES)
    padded = np.full(PIECES * width, np.nan)
    padded[: y.size] = y
    rows = padded.reshape(PIECES, width)
    broken = np.isnan(rows)
    first = np.arange(PIECES) * width
    chosen = np.concatenate(
        [
            first,
            first + width - 1,
            first + np.where(broken, np.inf, rows).argmin(1),
            first + np.where(broken, -np.inf, rows).argmax(1),
            first + broken.argmax(1),
        ]
    )
    kept = np.unique(chosen[chosen < y.size])
    return x[kept], y[kept]
