"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ir.errors import RoasteryError
from roastery.files.atomic_file import atomic_path, atomic_write


def test_replaces_the_file_at_the_end(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    with atomic_write(path, "w") as file:
        file.write("néw")
        assert path.read_text() == "old"
    assert path.read_text("utf-8") == "néw"
    assert os.listdir(tmp_path) == ["f"]


def test_an_error_leaves_the_old_file(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(ValueError, match="stop"), atomic_write(path) as file:
        file.write(b"half")
        raise ValueError("stop")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["f"]


def test_symbolic_links_stay(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    with atomic_write(tmp_path / "link", "w") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_devices_are_written_directly():
    with atomic_write("/dev/null") as file:
        file.write(b"x")
    assert Path("/dev/null").is_char_device()


def test_pipes_without_a_name_are_written_directly():
    """As /dev/stdout before ``| head``, and what a shell makes of ``>(gzip)``."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as stream:
        with os.fdopen(write, "wb"), atomic_write(f"/dev/fd/{write}") as file:
            file.write(b"whole")
        assert stream.read() == b"whole"


def test_folders(tmp_path):
    with atomic_path(tmp_path / "folder") as temporary:
        temporary.mkdir()
        (temporary / "a").write_text("x")
    assert (tmp_path / "folder" / "a").read_text() == "x"


def test_errors_of_the_system_name_the_file(tmp_path):
    with pytest.raises(RoasteryError, match=r"cannot write .*there is no folder"):
        with atomic_write(tmp_path / "gone" / "f"):
            pass
    with pytest.raises(RoasteryError, match=r"cannot write .*No space left"):
        with atomic_write(tmp_path / "f"):
            raise OSError(errno.ENOSPC, "No space left on device")
    # What goes wrong with another file stays what it is.
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "f"):
        (tmp_path / "input").read_text()


def test_a_kill_leaves_the_old_file(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    program = (
        "import sys\nfrom roastery.files.atomic_file import atomic_write\n"
        "with atomic_write(sys.argv[1], 'w') as file:\n"
        "    file.write('x' * 100000); file.flush(); print('ready', flush=True)\n"
        "    import time; time.sleep(60)\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], cwd=root, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == "old"
