"""Functions and classes that PyTorch lacks: files whose text goes into what is written."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from importlib import resources

_NEEDS = "# needs: "


def with_needs(names: Iterable[str]) -> list[str]:
    """The names of files, each behind those that it needs."""
    found: dict[str, None] = {}
    for name in names:
        first = _file(name).partition("\n")[0]
        if first.startswith(_NEEDS):
            found.update(dict.fromkeys(with_needs(first.removeprefix(_NEEDS).split())))
        found[name] = None
    return list(found)


def helper_text(name: str) -> str:
    """Definitions, without a line end at the end."""
    text = _file(name)
    return (text.partition("\n")[2] if text.startswith(_NEEDS) else text).rstrip("\n")


@functools.cache
def helper_names() -> frozenset[str]:
    """What all files define."""
    folder = resources.files(f"{__package__}.helpers")
    texts = [p.read_text("utf-8") for p in folder.iterdir() if p.name.endswith(".txt")]
    found = re.findall(r"^(?:def|class) (\w+)", "\n".join(texts), re.MULTILINE)
    return frozenset(found)


@functools.cache
def _file(name: str) -> str:
    return resources.files(f"{__package__}.helpers").joinpath(f"{name}.txt").read_text("utf-8")
