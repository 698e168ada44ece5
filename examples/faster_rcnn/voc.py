"""Pictures and boxes of a set that examples/ssd/make_set.py wrote, as the net takes them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np

CLASSES = ("__background__", "circle", "square", "triangle")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
MEAN = (104.0, 117.0, 123.0)
SCALE = 0.017


def read_picture(path: Path) -> np.ndarray:
    """Channels (blue, green, red) x height x width, as the net takes them."""
    pixels = cv2.imread(str(path)).astype(np.float32)
    return ((pixels - MEAN) * SCALE).transpose(2, 0, 1).astype(np.float32)


def read_boxes(path: Path) -> np.ndarray:
    """A row (x1, y1, x2, y2, class) for each object of a VOC annotation."""
    rows = []
    for found in ElementTree.parse(path).iter("object"):
        corners = [float(found.findtext(f"bndbox/{name}", "")) for name in CORNERS]
        rows.append([*corners, CLASSES.index(found.findtext("name", ""))])
    return np.array(rows, np.float32)
