"""A cache that somebody else owns, or could have written, is not used: what it holds would run."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.triton.compile.store import BinaryStore
from roastery.files import cache_folder as files
from roastery.files.cache_folder import PrivateFolder
from tests.compile.test_binary_store import BINARY, KEY

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with one binary in it."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ROASTERY_CACHE", str(folder))
    monkeypatch.setattr(files, "_told", set())
    BinaryStore().save(KEY, BINARY)
    assert BinaryStore().load(KEY) == BINARY
    return folder


def test_it_is_made_for_its_user_alone(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0)
    try:
        monkeypatch.setenv("ROASTERY_CACHE", str(cache.with_name("other")))
        BinaryStore().save(KEY, BINARY)
    finally:
        os.umask(before)
    for made in (cache, cache.with_name("other")):
        for path in (made, *made.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def _parts(cache: Path) -> list[Path]:
    """Every folder on the way to the binary, and its file."""
    path = BinaryStore().folder / KEY[:2] / KEY
    return [cache, cache / "binaries", path.parent, path]


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o707, 0o722, 0o1777])
def test_what_others_can_write_is_not_used(
    part: int, mode: int, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _parts(cache)[part]
    sound = path.stat().st_mode
    path.chmod(mode)
    with caplog.at_level(logging.WARNING):
        assert BinaryStore().load(KEY) is None
        assert BinaryStore().load(KEY) is None
    if path.is_dir():
        other = KEY[:2] + "cd" * 31
        (record,) = caplog.records  # told once
        assert f"others can write {path}" in record.getMessage()
        BinaryStore().save(other, BINARY)
        assert not (BinaryStore().folder / other[:2] / other).exists()
    path.chmod(sound)
    assert BinaryStore().load(KEY) == BINARY


@root_only
@pytest.mark.parametrize("part", range(4))
def test_what_belongs_to_another_is_not_used(
    part: int, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = _parts(cache)[part]
    os.chown(path, 12345, -1)
    with caplog.at_level(logging.WARNING):
        assert BinaryStore().load(KEY) is None
    if path.is_dir():
        assert f"{path} belongs to user 12345, not to you (0)" in caplog.text
    os.chown(path, 0, -1)
    assert BinaryStore().load(KEY) == BINARY


def test_a_link_leads_where_its_owner_says(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = cache.with_name("link")
    link.symlink_to(cache)
    monkeypatch.setenv("ROASTERY_CACHE", str(link))
    assert BinaryStore().load(KEY) == BINARY
    cache.chmod(0o777)
    assert BinaryStore().load(KEY) is None


@root_only
def test_a_link_of_another_is_not_followed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = cache.with_name("link")
    link.symlink_to(cache)
    os.chown(link, 12345, -1, follow_symlinks=False)
    monkeypatch.setenv("ROASTERY_CACHE", str(link))
    assert BinaryStore().load(KEY) is None


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize("change", [_link, _pipe])
def test_an_entry_is_a_file(change: Callable[[Path], None], cache: Path) -> None:
    change(BinaryStore().folder / KEY[:2] / KEY)
    assert BinaryStore().load(KEY) is None


def test_a_folder_that_is_not_there_is_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = PrivateFolder(tmp_path / "a" / "b")
    with caplog.at_level(logging.WARNING):
        assert folder.read("x") is None
        (tmp_path / "a").write_text("a file")
        assert not folder.write("x", b"")
    assert not caplog.records


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_not_there(cache: Path, make: Callable[[Path], None]) -> None:
    (path,) = (p for p in cache.rglob("*") if p.is_file())
    path.unlink()
    make(path)
    before = len(os.listdir("/proc/self/fd"))
    assert PrivateFolder(path.parent).read(path.name) is None
    assert BinaryStore().load(KEY) is None
    assert len(os.listdir("/proc/self/fd")) == before
