"""What is compiled is kept for those whom it fits, and never trusted more than its checksum."""

from __future__ import annotations

import ctypes
import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from compiler.c.compile.c_compiler import CCompiler, NoCompiler, find_compiler
from compiler.c.compile.flags import compiler_flags
from compiler.c.compile.kernels import LibraryMaker, divided
from compiler.c.compile.shared_library import Library
from compiler.c.compile.store import LibraryStore
from compiler.instructions import INSTRUCTIONS
from compiler.kernel import Kernel
from ir.errors import RoasteryError
from runtime.cpu.code import KernelCode
from runtime.cpu.shared_code import load_code
from tests.support import c_kernels
from tests.support.c_kernels import needs_compiler

ROOT = Path(__file__).parents[2]
ONE, TWO = "int one(void) { return 1; }", "int two(void) { return 2; }"


class Counting:
    """How many kernels were compiled since it was asked last."""

    def __init__(self, folder: Path, instructions: str = "any", most_bytes: int = 1 << 30) -> None:
        self.store = LibraryStore(folder, most_bytes)
        compiler = c_kernels.compiler()
        flags = compiler_flags(compiler, instructions)
        self.compiled = 0
        self.maker = LibraryMaker(compiler, flags, "", self.store, self._told)

    def _told(self, done: int, total: int) -> None:
        self.compiled = done

    def libraries(self, *sources: str) -> list[Library]:
        self.compiled = 0
        return list(self.maker.libraries(sources))


def damaged(folder: Path) -> Path:
    (file,) = (folder / "libraries").iterdir()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return file


@needs_compiler
def test_each_kernel_is_compiled_once(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    (library,) = Counting(folder).libraries(ONE, TWO, ONE)
    code = load_code(library.code)
    assert (code.one(), code.two()) == (1, 2)
    again = Counting(folder)
    assert again.libraries(TWO) == [library] and not again.compiled
    assert len(again.libraries(ONE, TWO, "int three;")) == 2 and again.compiled == 1
    assert {oct(p.stat().st_mode & 0o077) for p in folder.rglob("*")} == {"0o0"}


@needs_compiler
def test_other_instructions_are_others(tmp_path: Path) -> None:
    """A folder that was copied to another CPU holds nothing for it."""
    known = Counting(tmp_path / "c", "x86-64-v4").maker
    for other in ("x86-64-v3", "x86-64", "any"):
        assert Counting(tmp_path / "c", other).maker.key(ONE) != known.key(ONE)


@needs_compiler
def test_other_systems_are_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machines that share a home may have the same compiler."""
    known = Counting(tmp_path).maker.key(ONE)
    monkeypatch.setattr("os.confstr", lambda name: "glibc 2.17")
    old = Counting(tmp_path).maker.key(ONE)
    monkeypatch.setattr("os.uname", lambda: SimpleNamespace(machine="sparc64"))
    assert len({known, old, Counting(tmp_path).maker.key(ONE)}) == 3


@needs_compiler
def test_what_is_no_library_is_told_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a compiler makes it for another machine, or where a disk is full."""
    kernel = Kernel("triple", "int triple(int x) { return 3 * x; }", ())
    program = tmp_path / "cc"
    store = LibraryStore(tmp_path / "cache")
    for made in ("echo no library >$2", "echo 'int other;' | cc -shared -x c - -o $2"):
        program.write_text(f"#!/bin/sh\nwhile [ $1 != -o ]; do shift; done\n{made}\n")
        program.chmod(0o755)
        code = KernelCode(CCompiler((f"{program}",), "1"), "any", 1, store)
        with pytest.raises(RoasteryError, match="cannot be loaded") as caught:
            code.add([kernel])
        assert "is CC a compiler for this machine" in str(caught.value)
    program.write_text('#!/bin/sh\nexec cc "$@"\n')
    code = KernelCode(CCompiler((f"{program}",), "1"), "any", 1, store)
    code.add([kernel])
    assert code[kernel]


@needs_compiler
def test_what_is_damaged_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "cache"
    whole = Counting(folder).libraries(ONE)
    file = damaged(folder)
    again = Counting(folder)
    with caplog.at_level(logging.WARNING):
        assert again.libraries(ONE) == whole and again.compiled == 1
    assert caplog.text.count("is damaged, and made anew") == 1
    assert Library.decoded(file.read_bytes()) == whole[0]
    for name in (b"../../etc/passwd", b"\xff" * 64, b""):
        (pointer,) = folder.glob("kernels/*")
        pointer.write_bytes(name)
        assert Counting(folder).libraries(ONE) == whole


@needs_compiler
def test_what_others_may_write_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    Counting(folder).libraries(ONE)
    (file,) = (folder / "libraries").iterdir()
    file.chmod(0o666)
    again = Counting(folder)
    again.libraries(ONE)
    assert again.compiled == 1
    folder.chmod(0o777)
    again.libraries(ONE)
    assert again.compiled == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@needs_compiler
def test_what_belongs_to_somebody_else_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    Counting(folder).libraries(ONE)
    (file,) = (folder / "libraries").iterdir()
    os.chown(file, 12345, 12345)
    again = Counting(folder)
    again.libraries(ONE)
    assert again.compiled == 1


@needs_compiler
def test_those_used_longest_ago_go_first(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    sources = [f"int number_{i}(void) {{ return {i}; }}" for i in range(4)]
    size = 0
    for age, source in enumerate(sources):
        (library,) = Counting(folder).libraries(source)
        size = len(library.encoded())
        os.utime(folder / "libraries" / library.name, (age, age))
    Counting(folder).libraries(sources[0])  # used again
    Counting(folder, most_bytes=int(3.5 * size)).libraries("int last;")
    left = Counting(folder)
    found = [bool(left.store.load(left.maker.key(source))) for source in sources]
    assert found == [True, False, False, True]
    assert len(list(folder.glob("kernels/*"))) == 3


@needs_compiler
def test_processes_may_compile_the_same(tmp_path: Path) -> None:
    code = (
        "from tests.c.test_compiled_cache import Counting, ONE, TWO\n"
        "from runtime.cpu.shared_code import load_code\n"
        f"made = Counting(__import__('pathlib').Path({str(tmp_path / 'cache')!r}))\n"
        "(library,) = made.libraries(ONE, TWO)\n"
        "assert load_code(library.code).two() == 2\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    again = Counting(tmp_path / "cache")
    again.libraries(ONE, TWO)
    assert not again.compiled


@needs_compiler
def test_a_folder_that_cannot_be_made_costs_time_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    made = Counting(tmp_path / "file" / "cache")
    for _ in range(2):
        assert made.libraries(ONE) and made.compiled == 1


@needs_compiler
def test_many_libraries_are_loaded(tmp_path: Path) -> None:
    """Numbers of open files come again, and none stays open."""
    before = len(os.listdir("/proc/self/fd"))
    for number in range(5):
        (library,) = Counting(tmp_path).libraries(f"int same(void) {{ return {number}; }}")
        assert load_code(library.code).same() == number
    assert len(os.listdir("/proc/self/fd")) == before
    assert isinstance(load_code(library.code), ctypes.CDLL)


@needs_compiler
def test_what_the_compiler_says_is_told(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=r"fails on kernels: .*error") as caught:
        Counting(tmp_path).libraries("void broken(")
    assert c_kernels.compiler().command[0] in caught.value.message
    assert " -shared " in caught.value.detail and "broken" in caught.value.detail
    assert "--device reference" in str(caught.value)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from tests.c.test_compiled_cache import *\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "maker = LibraryMaker(CCompiler(('cc',), '1'), (), '', LibraryStore(Path(sys.argv[1])))\n"
        "list(maker.libraries(['/*' + ' ' * 9999 + '*/']))\n"
    )
    command = [sys.executable, "-c", code, f"{tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "kernels_0.c: what is to be compiled cannot be written: File too large" in done.stderr
    assert "set TMPDIR" in done.stderr


def test_a_program_that_makes_nothing_is_told_of(tmp_path: Path) -> None:
    program = tmp_path / "cc"
    program.write_text("#!/bin/sh\necho warning\n")
    program.chmod(0o755)
    maker = LibraryMaker(CCompiler((str(program),), "1"), (), "", LibraryStore(tmp_path / "c"))
    with pytest.raises(RoasteryError, match="fails on kernels: error: it made no file"):
        list(maker.libraries([ONE]))


def test_kernels_are_divided_by_size() -> None:
    assert divided({"a": 10, "b": 20}) == [["b", "a"]]
    sizes = {str(number): 6000 for number in range(6)} | {"big": 20000}
    parts = divided(sizes)
    assert ["big"] in parts and len(parts) > 5
    assert sorted(key for part in parts for key in part) == sorted(sizes)
    assert divided({}) == []


def test_the_compiler_is_the_first_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def program(name: str, says: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho '{says}' $1\n")
        path.chmod(0o755)
        return path

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = find_compiler()
    assert isinstance(found, NoCompiler) and found.reason == "there is no C compiler"
    program("cc", "some compiler")
    monkeypatch.setenv("PATH", f"{tmp_path}:")
    found = find_compiler()
    assert isinstance(found, CCompiler) and found.version.startswith("some compiler")
    own = program("own", "clang version 99")
    monkeypatch.setenv("CC", f"{own} -O1 'two words'")
    found = find_compiler()
    assert isinstance(found, CCompiler)
    assert found.command == (str(own), "-O1", "two words") and found.kind == "clang"
    for wrong in (str(tmp_path / "none"), "/bin/false", "'", str(tmp_path)):
        monkeypatch.setenv("CC", wrong)
        found = find_compiler()
        assert isinstance(found, NoCompiler) and "CC is" in found.reason


def test_flags_name_the_instructions() -> None:
    gcc, zig = CCompiler(("gcc",), "gcc 12"), CCompiler(("/x/zig", "cc"), "clang")
    for instructions in INSTRUCTIONS:
        for compiler in (gcc, zig):
            flags = compiler_flags(compiler, instructions.name)
            assert not {"-march=native", "-ffast-math", "-mcpu=native"} & set(flags)
    assert "-mavx512f" in compiler_flags(gcc, "x86-64-v4")
    assert "-mavx512f" not in compiler_flags(gcc, "x86-64-v3")
    assert "-mcpu=x86_64_v3" in compiler_flags(zig, "x86-64-v3")
    assert "-mcpu=baseline" in compiler_flags(zig, "any")
