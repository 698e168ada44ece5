"""WeChat's detector of QR codes, and its net that doubles them: what they say.

What is done before and after the nets is in opencv/opencv_contrib: modules/wechat_qrcode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.forms.makers import Run

from .task import Found

EDGE = 400
CODES = 8
LEAST_SCORE = 0.2


class WeChat:
    name = "WeChat's QR detector and doubling"
    nets = ("wechat-detect", "wechat-sr")
    unit = "a picture's edge, a score"

    def find(self, nets: Mapping[str, Run], folder: Path) -> Sequence[Found]:
        """Of pictures that are made here: codes of OpenCV's, turned, small and noisy."""
        return [self._codes(nets, _picture(number)) for number in range(CODES)]

    def _codes(self, nets: Mapping[str, Run], picture: np.ndarray) -> Found:
        import cv2

        (rows,) = nets["wechat-detect"]({"data": picture[None, None] / np.float32(255)}).values()
        rows = rows.reshape(-1, 7)
        rows = rows[(rows[:, 1] == 1) & (rows[:, 2] > LEAST_SCORE)]
        texts = []
        for row in rows:
            x1, y1, x2, y2 = np.clip(row[3:] * EDGE + (-24, -24, 24, 24), 0, EDGE).astype(int)
            part = np.ascontiguousarray(picture[None, None, y1:y2, x1:x2]) / np.float32(255)
            (large,) = nets["wechat-sr"]({"data": part}).values()
            pixels = np.clip(np.round(large[0, 0] * 255), 0, 255).astype(np.uint8)
            texts.append(cv2.QRCodeDetector().detectAndDecode(pixels)[0])
        return Found(tuple(texts), rows[:, 2:])

    def told(self, found: Sequence[Found]) -> str:
        texts = [text for each in found for text in each.words]
        return f"{len(texts)} codes in {len(found)} pictures, {len([t for t in texts if t])} read"


def _picture(number: int) -> np.ndarray:
    """A code on a grey ground, gray from 0 to 255."""
    import cv2

    rng = np.random.default_rng(number)
    code = Image.fromarray(cv2.QRCodeEncoder.create().encode(f"roastery {number}"))
    edge = 70 + 12 * number
    code = code.resize((edge, edge), Image.Resampling.BILINEAR)
    whole = Image.new("L", (EDGE, EDGE), 200)
    whole.paste(code, tuple(int(v) for v in rng.integers(60, EDGE - edge - 60, 2)))
    whole = whole.rotate(float(rng.uniform(-6, 6)), Image.Resampling.BILINEAR, fillcolor=200)
    noise = rng.normal(0, 4, (EDGE, EDGE))
    return np.clip(np.asarray(whole, np.float32) + noise, 0, 255).astype(np.float32)
