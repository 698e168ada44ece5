"""The interpreter launcher: arguments, constants, grids and errors."""

from __future__ import annotations

import contextlib
import importlib.util
import py_compile
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compiler.kernel import Config, Kernel, Launch, Parameter, Scratch
from ir.graph import Value
from ir.location import Location
from ir.types import DType, TensorType
from runtime.interpret.launcher import InterpretLauncher, KernelFailure
from runtime.interpret.program_order import Order
from tests.support.printed_launch import bind
from tests.support.program_orders import backwards, shuffled

SOURCE = """
import triton
import triton.language as tl


@triton.jit
def axpy(x, y, count, a, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    value = tl.load(x + at, mask=inside) * a + tl.load(y + at, mask=inside)
    tl.store(y + at, value, mask=inside)
"""
SMALL, LARGE = Config((("BLOCK", 16),)), Config((("BLOCK", 32),))
AXPY = Kernel(
    entry="axpy",
    source=SOURCE,
    parameters=(
        Parameter("x", "pointer", DType.F32, divisible=True),
        Parameter("y", "pointer", DType.F32, divisible=True),
        Parameter("count", "i32"),
        Parameter("a", "f32"),
    ),
)
X = Value("x", TensorType((50,)))
PLACE = Location("net.prototxt", 12, 3, "sum")


def launch(
    kernel: Kernel = AXPY, *, config: Config = SMALL, grid: int = 4, a: float = 2.5
) -> Launch:
    scratch = Scratch(0, 64 * 4)
    return Launch(
        kernel, config, (X, scratch, 50, a), (grid, 1, 1), "sum", PLACE, outputs=(scratch,)
    )


@pytest.mark.parametrize(("config", "grid"), [(SMALL, 4), (LARGE, 2)])
def test_runs_on_the_arrays_themselves(tmp_path: Path, config: Config, grid: int) -> None:
    x = np.arange(64, dtype=np.float32)
    y = np.ones(64, np.float32)
    launcher = InterpretLauncher(tmp_path)
    run = bind(launcher, launch(config=config, grid=grid), lambda b: x if b is X else y)
    assert np.all(y == 1)  # binding runs nothing
    run()
    expected = np.where(np.arange(64) < 50, np.arange(64) * 2.5 + 1, 1).astype(np.float32)
    np.testing.assert_array_equal(y, expected)
    run()
    np.testing.assert_array_equal(y[:50], np.arange(50) * 5 + 1)
    assert len(list(tmp_path.iterdir())) == 1


def test_an_empty_grid_runs_nothing(tmp_path: Path) -> None:
    bind(InterpretLauncher(tmp_path), launch(grid=0), lambda b: np.empty(0, np.float32))()
    assert not list(tmp_path.iterdir())


def test_integers_have_the_width_of_their_parameter(tmp_path: Path) -> None:
    source = """
import triton
import triton.language as tl


@triton.jit
def square(out, n):
    tl.store(out, (n * n >> 32).to(tl.int32))
"""
    results = []
    for kind in ("i32", "i64"):
        kernel = Kernel(
            "square",
            source,
            (Parameter("out", "pointer", DType.I32), Parameter("n", kind)),
        )
        out = np.zeros(16, np.int32)
        scratch = Scratch(0, 64)
        call = Launch(
            kernel, Config(()), (scratch, 1 << 20), (1, 1, 1), "square", PLACE, (scratch,)
        )
        bind(InterpretLauncher(tmp_path), call, lambda _, out=out: out)()
        results.append(int(out[0]))
    assert results[1] == 1 << 8  # 2^40 >> 32
    assert results[0] != results[1]


def test_work_that_changes_nothing_is_not_interpreted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is the language prepared again where a kernel calls, nor an index computed twice."""
    launcher = InterpretLauncher(tmp_path)
    from triton.runtime import interpreter

    prepare: Any = interpreter._patch_lang
    cast: Any = interpreter.InterpreterBuilder.cast_impl
    prepared: list[object] = []
    widened: list[object] = []

    def counted_cast(self: Any, value: Any, kind: Any) -> Any:
        widened.append(kind)
        return cast(self, value, kind)

    monkeypatch.setattr(interpreter, "_patch_lang", lambda f: prepared.append(f) or prepare(f))
    monkeypatch.setattr(interpreter.InterpreterBuilder, "cast_impl", counted_cast)
    source = """
import triton
import triton.language as tl


@triton.jit
def half(value):
    return value // 2


@triton.jit
def index(out, count):
    at = tl.program_id(0) * 16 + tl.arange(0, 16)
    tl.store(out + at, half(at + count) * 3)
"""
    parameters = (Parameter("out", "pointer", DType.I32), Parameter("count", "i32"))
    kernel = Kernel("index", source, parameters)
    out = np.zeros(64, np.int32)
    scratch = Scratch(0, 256)
    call = Launch(kernel, Config(()), (scratch, 5), (4, 1, 1), "index", PLACE, (scratch,))
    bind(launcher, call, lambda _: out)()
    np.testing.assert_array_equal(out, (np.arange(64) + 5) // 2 * 3)
    assert len(prepared) == 1
    assert not widened


def test_types_of_tiles_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = bind(InterpretLauncher(tmp_path), launch(), lambda b: np.zeros(64, np.float32))
    from triton.language import core

    check, made = core.validate_block_shape, []
    monkeypatch.setattr(core, "validate_block_shape", lambda s: made.append(s) or check(s))
    run()
    made.clear()
    run()
    assert not made


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("tl.arange(0, 16) + tl.arange(0, 32)", "incompatible dimensions"),
        ("tl.arange(0, 16)[:, None] + tl.full((8, 32), 1, tl.int32)", "incompatible dimensions"),
        ("tl.full((3,), 1, tl.int32)", "power of 2"),
        ("out + tl.full((16,), 1.0, tl.float32)", "invalid operands"),
        ("tl.full((16,), 1, tl.int32) & 1.0", "invalid operands"),
        ("(tl.arange(0, 4)[:, None] + tl.arange(0, 8)[None, :]).reshape((16,))", "reshape"),
    ],
)
def test_tiles_that_do_not_fit_are_refused(tmp_path: Path, value: str, message: str) -> None:
    """Also after others of these sizes were made."""
    text = "import triton\nimport triton.language as tl\n\n\n@triton.jit\ndef put(out):\n"
    for _ in range(2):
        source = f"{text}    tl.store(out + tl.arange(0, 16), {value})\n"
        kernel = Kernel("put", source, (Parameter("out", "pointer", DType.I32),))
        call = Launch(kernel, Config(()), (Scratch(0, 64),), (1, 1, 1), "put", PLACE, ())
        with pytest.raises(KernelFailure, match=message):
            bind(InterpretLauncher(tmp_path), call, lambda _: np.zeros(16, np.int32))()


def test_a_changed_file_is_written_again(tmp_path: Path) -> None:
    x, y = np.ones(64, np.float32), np.ones(64, np.float32)
    bind(InterpretLauncher(tmp_path), launch(), lambda b: x if b is X else y)
    (path,) = tmp_path.iterdir()
    path.write_text("raise SystemExit('not the kernel')\n")
    bind(InterpretLauncher(tmp_path), launch(), lambda b: x if b is X else y)()
    np.testing.assert_array_equal(y[:50], np.full(50, 3.5))


def test_neither_files_nor_bytecode_are_read_back(tmp_path: Path) -> None:
    """Compiled code beside a file would run without a look at its text."""
    x, y = np.ones(64, np.float32), np.ones(64, np.float32)
    bind(InterpretLauncher(tmp_path), launch(), lambda b: x if b is X else y)
    (path,) = tmp_path.iterdir()
    evil = tmp_path / "evil.py"
    evil.write_text("raise SystemExit('not the kernel')\n")
    cached = importlib.util.cache_from_source(str(path))
    py_compile.compile(
        str(evil), cached, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    run = bind(InterpretLauncher(tmp_path), launch(), lambda b: x if b is X else y)
    path.write_text(SOURCE.replace("* a +", "* a -"))  # after it was bound
    run()
    np.testing.assert_array_equal(y[:50], np.full(50, 3.5))


def test_wrong_arguments_are_refused(tmp_path: Path) -> None:
    launcher = InterpretLauncher(tmp_path)
    with pytest.raises(ValueError, match="x points to f32, given int32"):
        bind(launcher, launch(), lambda b: np.zeros(64, np.int32))
    with pytest.raises(ValueError, match="contiguous"):
        bind(launcher, launch(), lambda b: np.zeros(128, np.float32)[::2])


def test_a_failing_kernel_names_its_layer(tmp_path: Path) -> None:
    source = SOURCE.replace("tl.load(x + at, mask=inside)", "tl.no_such_function(x)")
    broken = Kernel("axpy", source, AXPY.parameters)
    x = np.zeros(64, np.float32)
    with pytest.raises(KernelFailure, match=r"sum \(from net.prototxt:12:3 \(layer 'sum'\)\)"):
        bind(InterpretLauncher(tmp_path), launch(broken), lambda b: x)()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("at < count", "at < count + 15"), "1 of 1 addresses of a load are outside: the first "),
        (("at < count", "at < count + 15"), "is element 64 of x, which has 64"),
        (("tl.load(x + at", "tl.load(x - 1 + at"), "the first is element -1 of x"),
        (("tl.store(y + at", "tl.store(y + at + 63"), "store are outside: .* element 64 of y"),
        (("tl.store(y + at", "tl.store(x + at"), "store are outside: the first is element"),
    ],
)
def test_memory_of_others_is_not_touched(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    kernel = Kernel("axpy", SOURCE.replace(*change), AXPY.parameters)
    around = np.zeros(512, np.float32)
    x, y = around[64:128], around[192:256]
    run = bind(InterpretLauncher(tmp_path), launch(kernel, grid=5), lambda b: x if b is X else y)
    with pytest.raises(KernelFailure, match=message):
        run()


def test_without_the_check_nothing_is_watched(tmp_path: Path) -> None:
    kernel = Kernel("axpy", SOURCE.replace("at < count", "at < count + 15"), AXPY.parameters)
    around = np.ones(512, np.float32)
    x, y = around[64:128], around[192:256]
    launcher = InterpretLauncher(tmp_path, check=False)
    bind(launcher, launch(kernel, grid=5), lambda b: x if b is X else y)()
    assert around[256] == 3.5


SHIFT = """
import triton
import triton.language as tl


@triton.jit
def shift(x, y, BLOCK: tl.constexpr):
    at = (tl.program_id(0) * 2 + tl.program_id(1)) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + at, tl.load(x + at + AHEAD))
"""


def shifted(folder: Path, order: Order | None, *, ahead: int, check: bool = False) -> np.ndarray:
    """In place every element becomes the one that lies so far ahead; six programs of 16."""
    source = SHIFT.replace("AHEAD", str(ahead))
    kernel = Kernel("shift", source, AXPY.parameters[:2])
    memory, out = np.arange(112, dtype=np.float32), Scratch(0, 112 * 4)
    call = Launch(kernel, SMALL, (X, out), (3, 2, 1), "shift", PLACE, outputs=(out,))
    run = bind(InterpretLauncher(folder, check=check, order=order), call, lambda _: memory)
    run()
    return memory[:96]


def test_programs_run_in_the_order_asked_for(tmp_path: Path) -> None:
    expected = np.arange(1, 97)
    np.testing.assert_array_equal(shifted(tmp_path, None, ahead=1), expected)
    wrong = np.flatnonzero(shifted(tmp_path, backwards, ahead=1) != expected)
    np.testing.assert_array_equal(wrong, range(15, 95, 16))  # where the next program came first
    wrong = np.flatnonzero(shifted(tmp_path, shuffled, ahead=1) != expected)
    turns = list(shuffled(6))
    early = [i for i in range(5) if turns.index(i + 1) < turns.index(i)]
    np.testing.assert_array_equal(wrong, [16 * i + 15 for i in early])


def test_every_program_runs_once(tmp_path: Path) -> None:
    for order in (lambda n: range(n - 1), lambda n: [0] * n, lambda n: range(1, n + 1)):
        with pytest.raises(ValueError, match="no order of 6 programs"):
            shifted(tmp_path, order, ahead=0)


@pytest.mark.parametrize(
    ("order", "ahead", "message"),
    [
        (
            None,
            1,
            r"program \(0, 1, 0\) writes 1 of .* that another \(\(0, 0, 0\)\) read: on a GPU",
        ),
        (
            backwards,
            1,
            r"program \(2, 0, 0\) reads 1 of .* another \(\(2, 1, 0\)\) wrote: on a GPU",
        ),
        (backwards, 16, r"program \(2, 0, 0\) reads 16 of the elements"),
    ],
)
def test_programs_may_not_use_what_others_write(
    tmp_path: Path, order: Order | None, ahead: int, message: str
) -> None:
    with pytest.raises(KernelFailure, match=message):
        shifted(tmp_path, order, ahead=ahead, check=True)


READ_THEN_WRITE = """if tl.program_id(0) < 2:
        tl.load(x)
    else:
        tl.store(y, 1.0)"""


@pytest.mark.parametrize(
    ("body", "grid", "message"),
    [
        ("tl.store(y + tl.program_id(0), tl.load(x + 8))", 4, ""),
        ("tl.store(y, tl.load(y) + 1.0)", 1, ""),
        (READ_THEN_WRITE, 3, r"another \(several\) read"),
        ("tl.store(y, 1.0)", 2, r"another \(\(0, 0, 0\)\) wrote"),  # though it is the same
    ],
)
def test_elements_that_several_programs_use(
    tmp_path: Path, body: str, grid: int, message: str
) -> None:
    source = f"{SHIFT.partition('    at =')[0]}    {body}\n"
    kernel = Kernel("shift", source, AXPY.parameters[:2])
    memory, out = np.zeros(64, np.float32), Scratch(0, 64 * 4)
    call = Launch(kernel, SMALL, (X, out), (grid, 1, 1), "shift", PLACE, outputs=(out,))
    run = bind(InterpretLauncher(tmp_path), call, lambda _: memory)
    with pytest.raises(KernelFailure, match=message) if message else contextlib.nullcontext():
        run()


def test_too_late_says_what_to_do() -> None:
    script = (
        "import os; os.environ.pop('TRITON_INTERPRET', None)\n"
        "import triton.language\n"
        "from runtime.interpret.launcher import InterpretLauncher\n"
        "from ir.errors import RoasteryError\n"
        "try: InterpretLauncher()\n"
        "except RoasteryError as error: print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "set TRITON_INTERPRET=1" in result.stdout
