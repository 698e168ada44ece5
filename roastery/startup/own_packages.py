"""Refuses to start when another folder's ``ir``, ``compiler``, ... would be imported.

The names of our packages are common words. Python takes the first one on its path, so a folder
called ``runtime`` beside a user's script can stand in front of ours, and then fails far away from
the cause. The check runs when ``roastery`` is imported and costs no import of the packages.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

#: The packages that must come from beside ``roastery``.
NEIGHBOURS = ("ir", "compiler", "runtime", "frontends")

#: Those without which nothing runs. Artifacts run without ``frontends``.
NEEDED = ("ir", "compiler", "runtime")


class ShadowedPackageError(ImportError):
    """One of our packages is hidden by another folder or module of the same name."""


def check_own_packages(home: Path | None = None) -> None:
    """Raise :class:`ShadowedPackageError` unless every neighbour lies in ``home``.

    Args:
        home: the folder that holds the packages; by default the one that holds ``roastery``.
    """
    home = (home or Path(__file__).parents[2]).resolve()
    strangers = [
        (name, place) for name in NEIGHBOURS if (place := _place(name)) and place != home / name
    ]
    if strangers:
        raise ShadowedPackageError(_explain(home, strangers))
    missing = [name for name in NEEDED if _place(name) is None]
    if missing:
        raise ShadowedPackageError(
            f"roastery is in {home}, but its package '{missing[0]}' cannot be imported\n"
            f"  hint: put {home} on the path (or install roastery again)"
        )


def _place(name: str) -> Path | None:
    """Where ``import name`` leads: a package's folder or a module's file."""
    module = sys.modules.get(name)
    try:
        spec: ModuleSpec | None = (
            module.__spec__ if module is not None else importlib.util.find_spec(name)
        )
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    return Path(spec.origin).resolve() if spec.origin else None


def _explain(home: Path, strangers: list[tuple[str, Path]]) -> str:
    lines = [
        f"'import {name}' finds {place}, not {home / name} that belongs to roastery"
        for name, place in strangers
    ]
    folders = ", ".join(dict.fromkeys(str(place.parent) for _, place in strangers))
    names = ", ".join(f"'{name}'" for name, _ in strangers)
    return (
        "\n".join(lines)
        + f"\n  hint: rename {names} in {folders}, run from another folder, "
        + f"or put {home} first on PYTHONPATH; "
        + "`roastery python` runs scripts that have such modules"
    )
