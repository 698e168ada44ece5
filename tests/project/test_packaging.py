"""What an installed roastery holds: all packages, their data files, the command."""

from __future__ import annotations

import fnmatch
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("ir", "compiler", "runtime", "frontends", "roastery")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_folder_of_code_is_a_package() -> None:
    """Only folders with ``__init__.py`` are installed."""
    missing = {
        str(path.parent.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert not missing


def test_every_data_file_is_installed() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    left_out = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and path.name != ".gitkeep"
        and not any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns)
    ]
    assert not left_out


def test_packages_are_typed() -> None:
    assert all((ROOT / package / "py.typed").exists() for package in PACKAGES)


def test_the_command_exists() -> None:
    from roastery.__main__ import main

    module, _, function = PROJECT["project"]["scripts"]["roastery"].partition(":")
    assert (module, function) == (main.__module__, main.__name__)


def test_one_version() -> None:
    from roastery import __version__

    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "roastery._version.__version__"
    }
    assert __version__.count(".") == 2
