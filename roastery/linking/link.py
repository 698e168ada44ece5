"""Puts a ``caffe`` that is Roastery into an environment, and takes it away again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from ir.errors import RoasteryError

from .._version import __version__
from ..files.missing import missing
from .files import link_files

_NAME = "caffe"
_MANIFEST = "roastery-link.json"
_CACHE = "__pycache__"


def link(folder: str | os.PathLike[str] | None = None, *, hide: bool = False) -> Path:
    """Write the package ``caffe`` into ``folder``; the package's folder.

    One that this has written before is replaced.

    Args:
        folder: by default where the running Python has its packages.
        hide: for a folder that is on Python's path only where a script puts it there: another
            ``caffe`` elsewhere is as it was.

    Raises RoasteryError, before anything is written, where another ``caffe`` would be hidden, or
    Roastery itself would not be found without us.
    """
    site = _site(folder)
    target = site / _NAME
    if os.path.lexists(target):
        files = _manifest(target)
        if files is None:
            raise _hides(str(target))
        if changed := _not_as_written(target, files):
            raise RoasteryError(
                f"'{target / changed[0]}' is not as `roastery link` wrote it",
                hint="move it away, then link again",
            )
    if not hide and (stranger := _other_caffe(site)):
        raise _hides(stranger)
    if folder is None:
        _check_installed()
    new = site / f".{_NAME}.{os.getpid()}.partial"
    try:
        _write(new, link_files())
        if target.exists():
            unlink(site)
        new.rename(target)
    except OSError as error:
        raise RoasteryError(
            f"cannot write '{site}': {error.strerror}",
            hint="`roastery link --user` writes into your home folder; or use a virtual "
            "environment",
        ) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return target


def is_linked(package: Path) -> bool:
    """Whether :func:`link` has written this package."""
    return _manifest(package) is not None


def unlink(folder: str | os.PathLike[str] | None = None) -> tuple[Path | None, list[str]]:
    """Remove what :func:`link` has written, and no more.

    Returns:
        the folder of the package that was linked, or None if there was none; and the files in it
        that stay, since they are not as they were written.

    Raises RoasteryError for a ``caffe`` that is none of ours.
    """
    target = _site(folder) / _NAME
    if not os.path.lexists(target):
        return None, []
    files = _manifest(target)
    if files is None:
        raise RoasteryError(f"'{target}' is a caffe that `roastery link` has not made")
    try:
        changed = set(_not_as_written(target, files))
        for name in files:
            if name not in changed and (target / name).exists():
                (target / name).unlink()
                _forget_compiled(target / name)
        (target / _MANIFEST).unlink()
    except OSError as error:
        raise RoasteryError(f"cannot remove '{target}': {error.strerror}") from None
    for name in (f"proto/{_CACHE}", "proto", _CACHE, ""):
        with contextlib.suppress(OSError):
            (target / name).rmdir()
    return target, sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file())


def _not_as_written(target: Path, files: Mapping[str, str]) -> list[str]:
    """The files of a package that are others than were written, or others'."""
    changed = []
    for path in sorted(target.rglob("*")):
        name = str(path.relative_to(target))
        if name == _MANIFEST or path.parent.name == _CACHE or path.is_dir():
            continue
        if name not in files or path.is_symlink() or _digest(path.read_bytes()) != files[name]:
            changed.append(name)
    return changed


def _site(folder: str | os.PathLike[str] | None) -> Path:
    site = Path(sysconfig.get_path("purelib") if folder is None else folder)
    if not site.is_dir():
        if folder is None:
            site.mkdir(parents=True, exist_ok=True)
        else:
            raise missing("folder", folder)
    return site


def user_site() -> Path:
    """The user's own folder of packages, made if it is missing.

    Raises RoasteryError where the running Python does not look there.
    """
    import site

    folder = Path(site.getusersitepackages())
    if not site.ENABLE_USER_SITE:
        raise RoasteryError(
            f"this Python does not look into '{folder}'",
            hint="in a virtual environment `roastery link` needs no --user",
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    digests = {name: _digest(text.encode()) for name, text in files.items()}
    said = {"made_by": "roastery link", "version": __version__, "files": digests}
    (folder / _MANIFEST).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _manifest(target: Path) -> dict[str, str] | None:
    """The files that were written there, and their digests; None if that is no link."""
    try:
        said = json.loads((target / _MANIFEST).read_text(encoding="utf-8"))
        files = said["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if said.get("made_by") != "roastery link" or not isinstance(files, dict):
        return None
    safe = all(
        isinstance(digest, str) and not os.path.isabs(name) and ".." not in Path(name).parts
        for name, digest in files.items()
    )
    return files if safe else None


def _forget_compiled(path: Path) -> None:
    """Python's own copies of a module that is no more."""
    for compiled in (path.parent / _CACHE).glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def _other_caffe(site: Path) -> str:
    """Where ``import caffe`` would lead without a link; empty: nowhere."""
    ours = os.path.realpath(site / _NAME)
    for finder in sys.meta_path:
        if "roastery" in type(finder).__module__:
            continue
        find: Any = getattr(finder, "find_spec", None)
        found: ModuleSpec | None = find(_NAME, None) if find is not None else None
        if found is None or found.origin is None:  # a folder without __init__.py hides nothing
            continue
        if os.path.realpath(os.path.dirname(found.origin)) != ours:
            return found.origin
    return ""


def _hides(place: str) -> RoasteryError:
    return RoasteryError(
        f"there is a caffe already, and `roastery link` does not hide it: {place}",
        hint="`roastery python` uses Roastery beside it; or remove that one, or use a virtual "
        "environment",
    )


def _check_installed() -> None:
    """Refuse where this Python finds Roastery only by PYTHONPATH or the working directory."""
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('roastery') is None)"
    done = subprocess.run([sys.executable, "-P", "-E", "-c", code], check=False)
    if done.returncode:
        raise RoasteryError(
            f"roastery itself is not installed in {sys.prefix}: a link would lead nowhere",
            hint="pip install it there first; PYTHONPATH alone is not enough",
        )
