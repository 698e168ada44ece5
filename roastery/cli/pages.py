"""The pages of docs/, which `roastery help PAGE` shows wherever Roastery is installed.

``roastery/pages`` is docs/ itself in a checkout, and a copy in wheels.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent.parent / "pages"


def page_names() -> list[str]:
    """The names of all pages, in order."""
    return sorted(path.stem for path in _FOLDER.glob("*.md"))


def page_of_docs(name: str) -> str | None:
    """A page, with what to ask for those that it links to; None if there is no such page.

    Names are as in links between pages, with ``.md`` or without.
    """
    stem = name.removeprefix("docs/").removesuffix(".md").replace("_", "-")
    if stem not in page_names():
        return None
    text = (_FOLDER / f"{stem}.md").read_text(encoding="utf-8").rstrip()
    return f"{text}\n\n(`roastery help PAGE` shows the pages that are linked here: PAGE.md.)"
