"""``IPython.display`` where IPython is not installed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


class Shown:
    """An object that a notebook draws: a picture, HTML and so on.

    Attributes:
        data: its bytes or text. kind: ``Image``, ``HTML``, ``SVG`` ...
    """

    kind = "object"

    def __init__(self, data: Any = None, url: Any = None, filename: Any = None, **w: Any) -> None:
        if filename is not None:
            data = Path(filename).read_bytes()
        self.data = data

    def __repr__(self) -> str:
        return f"<{self.kind}>"


def offer_display(names: dict[str, Any]) -> list[str]:
    """Put the modules where imports find them, and ``display`` among a notebook's names.

    Returns the modules that were put there: none where IPython is installed.
    """
    if "IPython" in sys.modules or importlib.util.find_spec("IPython") is not None:
        return []
    top, inner = ModuleType("IPython"), ModuleType("IPython.display")
    top.__path__ = []

    def display(*objects: Any, **words: Any) -> None:
        for each in objects:
            print(repr(each))

    kinds = ("Audio", "HTML", "IFrame", "Image", "Javascript", "Latex", "Markdown", "Math", "SVG")
    for kind in kinds:
        setattr(inner, kind, type(kind, (Shown,), {"kind": kind}))
    vars(inner).update(display=display, clear_output=lambda *args, **words: None)
    vars(top).update(
        display=inner,
        get_ipython=lambda: None,  # for libraries, which would ask for more than a cell does
        version_info=(9, 0, 0),
    )
    names["display"] = display
    sys.modules.update({"IPython": top, "IPython.display": inner})
    return ["IPython", "IPython.display"]
