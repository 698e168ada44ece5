"""OpenCV 2's constants."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .registry import Offer

_NEW = {
    "CV_AA": "LINE_AA",
    "CV_BGR2GRAY": "COLOR_BGR2GRAY",
    "CV_BGR2HSV": "COLOR_BGR2HSV",
    "CV_BGR2RGB": "COLOR_BGR2RGB",
    "CV_CAP_PROP_FOURCC": "CAP_PROP_FOURCC",
    "CV_CAP_PROP_FPS": "CAP_PROP_FPS",
    "CV_CAP_PROP_FRAME_COUNT": "CAP_PROP_FRAME_COUNT",
    "CV_CAP_PROP_FRAME_HEIGHT": "CAP_PROP_FRAME_HEIGHT",
    "CV_CAP_PROP_FRAME_WIDTH": "CAP_PROP_FRAME_WIDTH",
    "CV_CAP_PROP_POS_FRAMES": "CAP_PROP_POS_FRAMES",
    "CV_CAP_PROP_POS_MSEC": "CAP_PROP_POS_MSEC",
    "CV_FOURCC": "VideoWriter_fourcc",
    "CV_GRAY2BGR": "COLOR_GRAY2BGR",
    "CV_INTER_AREA": "INTER_AREA",
    "CV_INTER_CUBIC": "INTER_CUBIC",
    "CV_INTER_LINEAR": "INTER_LINEAR",
    "CV_INTER_NN": "INTER_NEAREST",
    "CV_IMWRITE_JPEG_QUALITY": "IMWRITE_JPEG_QUALITY",
    "CV_LOAD_IMAGE_ANYCOLOR": "IMREAD_ANYCOLOR",
    "CV_LOAD_IMAGE_COLOR": "IMREAD_COLOR",
    "CV_LOAD_IMAGE_GRAYSCALE": "IMREAD_GRAYSCALE",
    "CV_LOAD_IMAGE_UNCHANGED": "IMREAD_UNCHANGED",
    "CV_RGB2BGR": "COLOR_RGB2BGR",
    "CV_RGB2GRAY": "COLOR_RGB2GRAY",
}


def _constants(cv2: Any) -> dict[str, Any]:
    return {old: getattr(cv2, new) for old, new in _NEW.items() if hasattr(cv2, new)}


def mend_cv2(module: ModuleType, offer: Offer) -> None:
    found: Any = ModuleType("cv2.cv")
    mend_cv(found, offer, module)
    offer.add(module, cv=found, **_constants(module))


def mend_cv(module: ModuleType, offer: Offer, cv2: Any = None) -> None:
    if cv2 is None:
        import cv2
    vars(module).update(_constants(cv2))
