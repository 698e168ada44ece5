"""What killed runs leave half made is removed by the next one; what living ones make stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from roastery.files.atomic_file import atomic_path, atomic_write
from roastery.files.leftovers import remove_leftovers
from roastery.files.owned_folder import owned_folder
from roastery.files.process_identity import process_runs, this_process

ROOT = Path(__file__).parents[2]

WRITER = """
import sys, time
from roastery.files.atomic_file import atomic_write
with atomic_write(sys.argv[1], "w") as file:
    file.write("x" * 100000); file.flush(); print("ready", flush=True)
    sys.stdin.read()
"""


@contextmanager
def writer(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has begun to write ``path``, and ends when its input does."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        yield process


def age(folder: Path, days: float) -> None:
    """Let a folder and all in it look as if nothing had touched them for days."""
    then = time.time() - days * 86400
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (then, then))


def partial(path: Path, owner: str, content: str | None = "half") -> Path:
    """A leftover made by hand: a folder of this owner with a file of the target's name."""
    folder = path.with_name(f".{path.name}.{owner}.partial")
    folder.mkdir()
    if content is not None:
        (folder / path.name).write_text(content)
    return folder


def test_the_next_run_removes_what_killed_ones_left(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for _ in range(3):
        with writer(path) as process:
            process.send_signal(signal.SIGKILL)
    assert len(os.listdir(tmp_path)) == 1  # the last one's: each removed that of the one before
    with atomic_write(path, "w") as file:
        file.write("whole")
    assert os.listdir(tmp_path) == ["f"]


def test_a_killed_process_that_nobody_waited_for_is_dead(tmp_path: Path) -> None:
    with writer(tmp_path / "f") as process:
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not process_runs(process.pid)
        assert len(remove_leftovers(tmp_path, lambda name: name == "f")) == 1


def test_what_a_living_process_makes_stays(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with writer(path) as process:
        with atomic_write(path, "w") as file:
            file.write("ours")
        (theirs,) = (name for name in os.listdir(tmp_path) if name != "f")
        # The lock alone protects it, also from processes that cannot see the owner.
        os.rename(tmp_path / theirs, tmp_path / ".f.1-1-00000000-0.partial")
        age(tmp_path / ".f.1-1-00000000-0.partial", days=30)
        assert not remove_leftovers(tmp_path, lambda name: True)
        os.rename(tmp_path / ".f.1-1-00000000-0.partial", tmp_path / theirs)
        process.communicate()
    assert path.read_text() == "x" * 100000
    assert os.listdir(tmp_path) == ["f"]


def test_a_number_that_was_used_again_is_not_the_owner(tmp_path: Path) -> None:
    me = this_process()
    ours = f"{me.pid}-{me.start}-{me.where}-999999"
    other = f"{me.pid}-{me.start - 1}-{me.where}-0"
    stays, goes = partial(tmp_path / "f", ours), partial(tmp_path / "f", other)
    assert remove_leftovers(tmp_path, lambda name: name == "f") == [goes]
    assert stays.exists()


def test_of_another_machine_only_what_is_old_goes(tmp_path: Path) -> None:
    folder = partial(tmp_path / "f", "12345-67890-deadbeef-0")
    assert not remove_leftovers(tmp_path, lambda name: True)
    age(folder, days=2)
    assert remove_leftovers(tmp_path, lambda name: True) == [folder]


def test_what_only_looks_similar_stays(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "f").write_text("precious")
    dead = "999999999-1"
    me = this_process()
    (tmp_path / f".f.{dead}-{me.where}-0.partial").write_text("a file")
    (tmp_path / f".f.{dead}-{me.where}-1.partial").symlink_to(elsewhere)
    (tmp_path / ".f.partial").write_text("no number")
    (tmp_path / ".f.x1.partial").write_text("no number")
    (tmp_path / ".f.999999999.partial").symlink_to(elsewhere / "f")
    (tmp_path / "f.999999999.partial").write_text("not hidden")
    (tmp_path / ".other.999999999.partial").write_text("of another file")
    (partial(tmp_path / "f", f"{dead}-{me.where}-2") / "notes").write_text("mine")
    before = sorted(os.listdir(tmp_path))
    with atomic_write(tmp_path / "f") as file:
        file.write(b"new")
    assert sorted(os.listdir(tmp_path)) == sorted([*before, "f"])
    assert (elsewhere / "f").read_text() == "precious"


def test_leftovers_of_older_versions_go(tmp_path: Path) -> None:
    (tmp_path / ".f.999999999.partial").write_text("half")
    (tmp_path / ".f.999999998.partial").mkdir()
    (tmp_path / f".f.{os.getpid()}.partial").write_text("of a living process")
    with atomic_write(tmp_path / "f") as file:
        file.write(b"new")
    assert sorted(os.listdir(tmp_path)) == [f".f.{os.getpid()}.partial", "f"]


@pytest.mark.parametrize("name", ["n" * 250, "ü" * 125, "a\nb", "a.partial", "\udcff"])
def test_any_name_that_a_file_can_have(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with writer(path) as process:
        process.send_signal(signal.SIGKILL)
    with atomic_path(path) as temporary:
        temporary.write_text("new")
    assert os.listdir(tmp_path) == [name]


def test_a_folder_stays_between_two_owners_of_one_process(tmp_path: Path) -> None:
    with owned_folder(tmp_path, "f") as one, owned_folder(tmp_path, "f") as other:
        one.write_text("1")
        other.write_text("2")
        assert len(os.listdir(tmp_path)) == 2
    assert os.listdir(tmp_path) == []


def test_leftovers_of_many_files_go_as_each_is_written(tmp_path: Path) -> None:
    """A folder is not listed for every file in it, and still nothing is left."""
    me = this_process()
    for number in range(200):
        partial(tmp_path / f"{number}.png", f"999999999-1-{me.where}-0")
    for number in range(200):
        with atomic_path(tmp_path / f"{number}.png", durable=False) as temporary:
            temporary.write_text("whole")
    assert len(os.listdir(tmp_path)) == 200
