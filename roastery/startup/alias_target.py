"""Which module ``caffe`` stands for: said by the package that both belong to, as it is imported.

The way there imports nothing, since at that moment the working directory may still be on the path.
"""

from __future__ import annotations

_module = ""


def stands_for(module: str) -> None:
    """``caffe`` is another name of ``module``, once it is installed or offered."""
    global _module
    _module = module


def stood_for() -> str:
    return _module
