"""Pictures as arrays of height, width and RGB, float32 from 0 to 255."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 480, 640


def pictures_in(folder: Path) -> list[np.ndarray]:
    """Those of ``FOLDER/pictures``, in the order of their names, each in a frame of one size.

    Raises FileNotFoundError.
    """
    names = sorted((folder / "pictures").glob("*.jpg"))
    if not names:
        raise FileNotFoundError(f"{folder / 'pictures'} has no .jpg")
    return [_framed(Image.open(name).convert("RGB")) for name in names]


def _framed(picture: Image.Image) -> np.ndarray:
    """With black at the right or below."""
    picture.thumbnail((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    frame = Image.new("RGB", (WIDTH, HEIGHT))
    frame.paste(picture)
    return np.asarray(frame, np.float32)


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear, over as many pixels as are one."""
    whole = Image.fromarray(np.clip(np.round(picture), 0, 255).astype(np.uint8))
    return np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def cut_out(picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    """A box of whole pixels, which may reach beyond the picture: there it is black."""
    x1, y1, x2, y2 = (int(number) for number in box[:4])
    made = np.zeros((max(y2 - y1, 1), max(x2 - x1, 1), *picture.shape[2:]), np.float32)
    inner = picture[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
    top, left = max(-y1, 0), max(-x1, 0)
    made[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return made
