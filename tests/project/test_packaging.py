"""What an installed roastery holds: all packages, their data files, the command."""

from __future__ import annotations

import fnmatch
import re
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
        and path.parent != ROOT / "roastery" / "pages"  # docs/ in an unpacked archive
        and not path.name.startswith(("caffe_.mex", "caffe_.python"))  # built for one machine
        and not any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns)
    ]
    assert not left_out


def test_packages_are_typed() -> None:
    assert all((ROOT / package / "py.typed").exists() for package in PACKAGES)


def test_the_command_exists() -> None:
    from roastery.__main__ import main

    module, _, function = PROJECT["project"]["scripts"]["roastery"].partition(":")
    assert (module, function) == (main.__module__, main.__name__)


def test_every_version_has_a_section_in_the_changelog() -> None:
    from roastery import __version__

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\S+)", text, re.MULTILINE)
    assert __version__ in sections
    assert all(re.fullmatch(r"\d+\.\d+\.\d+|Unreleased", section) for section in sections)


def test_extras_build_on_each_other() -> None:
    """`all` is everything but a C compiler and PyTorch, which is large."""
    extras = PROJECT["project"]["optional-dependencies"]
    single = ["images", "leveldb", "plot", "demo", "onnx", "py2", "tensorboard", "search"]
    assert extras["all"] == [f"roastery[{','.join(single)},gpu]"]
    assert [need.partition(">")[0] for need in extras["cpu"]] == ["ziglang"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for extra in (*single, "serve", "docs", "cpu", "gpu", "distributed", "all"):
        assert re.search(rf"\| `pip install \.\[{extra}\]` \|.*\| \d+\.\d+ GB \|", readme), extra
    assert re.search(r"\| `pip install \.` \|.*\| \d+\.\d+ GB \|", readme)
    with_torch = {name for name, needs in extras.items() if any("torch" in n for n in needs)}
    assert with_torch == {"bench", "distributed"}


def test_one_version() -> None:
    from roastery import __version__

    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {
        "attr": "roastery._version.__version__"
    }
    assert __version__.count(".") == 2
