"""What must hold for every file of the repository."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

#: No file of code or prose may be longer.
MAX_LINES = 600

#: Pages that are made from the code are as long as they are.
GENERATED = ("docs/command-line.md", "docs/layers.md")

#: Recorded data is as long as it is.
DATA = ("tests/data/",)

#: Places of one machine, and hosts from which it installs.
MACHINE_NAMES = re.compile(
    r"(?<![\w.])/(?:work|home|root|Users|opt/pypi|opt/wheels)/"
    r"|https?://(?:pypi\.org|files\.pythonhosted\.org|download\.pytorch\.org)"
    r"|(?:extra-)?index-url|noreply\.r-seed"
)

PROSE_AND_CODE = {".py", ".md", ".toml", ".txt", ".lark", ".json", ".prototxt", ".yml", ".sh", ""}


def tracked() -> list[Path]:
    """The files that git knows, or all files of an unpacked source archive."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "--cached", "-z"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def is_data(path: Path) -> bool:
    return path.relative_to(ROOT).as_posix().startswith(DATA)


def texts() -> list[tuple[Path, str]]:
    """Tracked files of code and prose, with their text."""
    found = []
    for path in tracked():
        if path.suffix in PROSE_AND_CODE and not is_data(path):
            found.append((path, path.read_text(encoding="utf-8")))
    assert len(found) > 20
    return found


def test_no_machine_is_named() -> None:
    wrong = []
    for path, text in texts():
        if path == Path(__file__):
            continue
        for match in MACHINE_NAMES.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            wrong.append(f"{path.relative_to(ROOT)}:{line}: {match[0]}")
    assert not wrong, "\n".join(wrong)


def test_files_stay_short() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path, text in texts()
        if path.suffix != ".json" and (lines := text.count("\n")) > MAX_LINES
    }
    assert not long.keys() - set(GENERATED)


def test_text_files_end_with_a_line_end() -> None:
    wrong = [
        str(path.relative_to(ROOT)) for path, text in texts() if text and not text.endswith("\n")
    ]
    assert not wrong


def test_test_files_have_unique_names() -> None:
    """Folders of tests are no packages, so pytest tells test modules apart by name only."""
    names = [path.name for path in tracked() if path.match("tests/**/test_*.py")]
    assert sorted(names) == sorted(set(names))
    packages = {path.parent.name for path in tracked() if path.match("tests/**/__init__.py")}
    assert packages <= {"support"}, "only the helpers that tests share are a package"


def test_core_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    core = {re.split(r"[<>=]", dependency)[0] for dependency in project["dependencies"]}
    assert core == {
        "cramjam",
        "google-crc32c",
        "h5py",
        "lark",
        "lmdb",
        "numpy",
        "protobuf",
        "safetensors",
        "threadpoolctl",
        "tqdm",
    }


def test_every_dependency_is_pinned_for_tests() -> None:
    """Except Triton, which the Makefile names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {re.split(r"[<>=;\[]", word)[0].strip() for word in wanted} - {"roastery", "triton"}
    pins = re.findall(r"^([\w-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert not names - set(pins)
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^TRITON := 3\.\d+\.\d+$", makefile, re.MULTILINE)
    assert re.search(r"^TRITON_FLOOR := 3\.6\.0$", makefile, re.MULTILINE)
