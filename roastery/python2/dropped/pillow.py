"""Pillow's names."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .registry import Offer


def mend_image(module: ModuleType, offer: Offer) -> None:
    offer.add(
        module,
        ANTIALIAS=module.LANCZOS,
        LINEAR=module.BILINEAR,
        CUBIC=module.BICUBIC,
        VERSION="1.1.7",
        PILLOW_VERSION=module.__version__,
    )
    kind: Any = module.Image
    offer.add(kind, tostring=lambda self, *args: self.tobytes(*args))
    offer.add(module, fromstring=module.frombytes)
    if hasattr(module, "frombuffer"):
        offer.replace(module, "open", _open)


def _open(function: Any) -> Any:
    """What Python 2's names open is read as plain bytes."""
    from ..names.files import binary_stream

    def open(fp: Any, *args: Any, **kwargs: Any) -> Any:
        return function(binary_stream(fp), *args, **kwargs)

    return open


def mend_image_draw(module: ModuleType, offer: Offer) -> None:
    def textsize(self: Any, text: Any, font: Any = None, *args: Any, **kwargs: Any) -> Any:
        _, _, right, bottom = self.textbbox((0, 0), text, font, *args, **kwargs)
        return right, bottom

    offer.add(module.ImageDraw, textsize=textsize, multiline_textsize=textsize)


def mend_image_font(module: ModuleType, offer: Offer) -> None:
    def getsize(self: Any, text: Any, *args: Any, **kwargs: Any) -> Any:
        _, _, right, bottom = self.getbbox(text, *args, **kwargs)
        return right, bottom

    for name in ("FreeTypeFont", "ImageFont", "TransposedFont"):
        kind = getattr(module, name, None)
        if kind is not None:
            offer.add(kind, getsize=getsize)
