"""The page as one file: its own parts, the layout library and the data, put together.

A policy in the page lets a browser run these scripts and no others, and ask nobody for anything,
unless the page is served, which asks the server that it came from.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path
from typing import Any

from ir.printable import printable

from . import page
from .page import third_party

_FOLDER = Path(page.__file__).parent
_LIBRARY = Path(third_party.__file__).parent / "dagre.min.js"

SCRIPTS = (
    "data.js",
    "elements.js",
    "graph.js",
    "drawing.js",
    "moving.js",
    "search.js",
    "layer_panel.js",
    "weights.js",
    "compiler.js",
    "memory.js",
    "curves.js",
    "keys.js",
    "live.js",
    "start.js",
)
"""In the order in which they run."""


def page_text(data: dict[str, Any], *, live: bool = False) -> str:
    """The page's text.

    Args:
        live: it is served, and asks for what is new.
    """
    scripts = [_library(), *(_text(name) for name in SCRIPTS)]
    allowed = " ".join(f"'sha256-{_digest(text)}'" for text in scripts)
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        f"connect-src {chr(39)}{'self' if live else 'none'}{chr(39)}; base-uri 'none'; "
        "form-action 'none'"
    )
    parts = {
        "POLICY": policy,
        "TITLE": html.escape(printable(str(data.get("name") or "net"))),
        "STYLE": _text("page.css"),
        "DATA": json_for_html(data | {"live": live}),
        "SCRIPTS": "\n".join(f"<script>{text}</script>" for text in scripts),
    }
    template = _text("page.html")
    pieces = template.split("{{")
    return pieces[0] + "".join(
        parts[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces[1:])
    )


def json_for_html(data: Any) -> str:
    """JSON that no HTML parser takes for a tag or a comment, whatever texts are in it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _library() -> str:
    return _LIBRARY.read_text(encoding="utf-8")
