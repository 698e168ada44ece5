"""Compilation in worker processes, with Triton itself, for cards that need not be here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.architecture import Architecture
from compiler.kernel import Config, Kernel, Launch
from compiler.triton.compile import (
    CompileError,
    Job,
    compile_jobs,
    jobs_of,
    triton_version,
)
from compiler.triton.compile.inspection import ptx_parameters
from compiler.triton.compile.store import BinaryStore
from ir.errors import RoasteryError
from ir.location import Location

SM90 = Architecture(90)
CONFIGS = Config((("BLOCK", 256),)), Config((("BLOCK", 512),), num_warps=8)
LAYOUT = ("pointer", "pointer", "pointer", "i32", "i64", "f32")


def broken(kernel: Kernel, statement: str) -> Kernel:
    """The kernel with a line that runs when its file is imported."""
    return Kernel(kernel.entry, f"{statement}\n{kernel.source}", kernel.parameters)


def test_compiles_without_a_gpu(
    axpy: Kernel,
    store: BinaryStore,
    triton_path: Path | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The environment of an interpreting process must not reach the workers.
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    jobs = [Job(axpy, config, Architecture(c)) for c in (80, 90) for config in CONFIGS]
    binaries = compile_jobs(jobs, store=store, triton_path=triton_path, workers=1)
    for job, binary in zip(jobs, binaries, strict=True):
        assert binary.entry == "axpy"
        assert binary.architecture == job.architecture
        assert binary.num_warps == job.config.num_warps
        assert binary.triton == triton_version(triton_path)
        assert binary.cubin.startswith(b"\x7fELF")
        assert binary.arguments == (*LAYOUT, "global_scratch", "profile_scratch")
        assert ptx_parameters(binary.ptx) == ["u64"] * 3 + ["u32", "u64", "f32"] + ["u64"] * 2
        assert not binary.resources.spills
        assert 0 < binary.resources.registers <= 255
        assert "ld.global.v4.b32" in binary.ptx or "ld.global.v2.b32" in binary.ptx
        assert "fma.rn.f32" in binary.ptx
    assert ".target sm_90a" in binaries[2].ptx
    # What newer cards are given: an old PTX of no particular generation.
    assert ".version 7.4" in binaries[0].ptx
    assert ".target sm_80\n" in binaries[0].ptx
    # All are found again, by any process.
    again: list[int] = []
    kept = compile_jobs(
        jobs, store=store, triton_path=triton_path, progress=lambda *_: again.append(1)
    )
    assert kept == binaries
    assert not again


def test_the_folder_does_not_change_the_bytes(axpy: Kernel, tmp_path: Path) -> None:
    job = Job(axpy, CONFIGS[0], SM90)
    one, two = (
        compile_jobs([job], store=BinaryStore(tmp_path / name))[0] for name in ("one", "longer")
    )
    assert one == two
    assert str(tmp_path).encode() not in one.cubin


def test_equal_jobs_are_compiled_once(axpy: Kernel, store: BinaryStore) -> None:
    seen = []
    binaries = compile_jobs(
        [Job(axpy, CONFIGS[0], SM90) for _ in range(3)],
        store=store,
        progress=lambda done, total, job: seen.append((done, total, job)),
    )
    assert seen == [(0, 1, None), (1, 1, None)]
    assert binaries[0] is binaries[2]


def test_launches_name_the_users(axpy: Kernel) -> None:
    place = Location("net.prototxt", 7, 1, "relu1")
    first = Launch(axpy, CONFIGS[0], (), (1, 1, 1), "relu1", place, ())
    second = Launch(axpy, CONFIGS[0], (), (2, 1, 1), "relu2", place, ())
    third = Launch(axpy, CONFIGS[1], (), (2, 1, 1), "relu3", place, ())
    jobs = jobs_of([first, second, third, second], SM90)
    assert [job.config for job in jobs] == list(CONFIGS)
    assert jobs[0].users == (f"relu1 ({place})", f"relu2 ({place})")


def test_a_failure_names_kernel_layer_and_reason(axpy: Kernel, store: BinaryStore) -> None:
    wrong = Kernel(
        "axpy",
        axpy.source.replace("tl.load(x + at, mask=inside)", "tl.load(x + at, mask=unknown)"),
        axpy.parameters,
    )
    jobs = [
        Job(wrong, CONFIGS[0], SM90, users=("relu1 (net.prototxt:7)",)),
        Job(axpy, CONFIGS[0], SM90),
    ]
    with pytest.raises(CompileError) as caught:
        compile_jobs(jobs, store=store, workers=1)
    text = str(caught.value)
    assert "kernel axpy does not compile for cuda:sm_90 (BLOCK=256, 4 warps" in text
    assert "used by relu1 (net.prototxt:7)" in text
    assert "unknown is not defined" in text
    # The sound kernel was compiled all the same.
    assert store.load(jobs[1].key(triton_version())) is not None


def test_a_description_that_does_not_fit_is_refused(axpy: Kernel, store: BinaryStore) -> None:
    wrong = Kernel("axpy", axpy.source, axpy.parameters[:-1])
    with pytest.raises(CompileError, match="the kernel describes"):
        compile_jobs([Job(wrong, CONFIGS[0], SM90)], store=store)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("import os; os._exit(3)", "ended with status 3"),
        ("import os; os.kill(os.getpid(), 11)", "killed by signal 11"),
        ("import os; os.write(1, b'last words'); os._exit(4)", "last words"),
    ],
)
def test_a_crash_ends_one_kernel_only(
    axpy: Kernel, store: BinaryStore, statement: str, message: str
) -> None:
    crash = broken(axpy, statement)
    with pytest.raises(CompileError, match=message) as caught:
        compile_jobs(
            [Job(kernel, CONFIGS[0], SM90) for kernel in (crash, axpy)],
            store=store,
            workers=1,
        )
    assert len(caught.value.failures) == 1
    assert store.load(Job(axpy, CONFIGS[0], SM90).key(triton_version())) is not None


def test_a_kernel_that_takes_too_long_is_given_up(axpy: Kernel, store: BinaryStore) -> None:
    slow = broken(axpy, "import time; time.sleep(60)")
    started = time.monotonic()
    with pytest.raises(CompileError, match="longer than 2 s"):
        compile_jobs([Job(slow, CONFIGS[0], SM90)], store=store, timeout=2)
    assert time.monotonic() - started < 30


def test_an_error_in_the_callback_ends_the_workers(axpy: Kernel, store: BinaryStore) -> None:
    def stop(done: int, total: int, job: Job | None) -> None:
        raise RuntimeError("stop")

    jobs = [Job(axpy, Config((("BLOCK", 64 << n),)), SM90) for n in range(4)]
    with pytest.raises(RuntimeError, match="stop"):
        compile_jobs(jobs, store=store, workers=1, progress=stop)


def test_interrupting_ends_the_workers(axpy: Kernel, tmp_path: Path) -> None:
    script = tmp_path / "compile.py"
    mark = tmp_path / "worker.pid"
    kernel = broken(
        axpy, f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )
    script.write_text(
        "from compiler.kernel import *\n"
        "from compiler.architecture import Architecture\n"
        "from compiler.triton.compile import Job, compile_jobs\n"
        f"kernel = Kernel('axpy', {kernel.source!r}, ())\n"
        "compile_jobs([Job(kernel, Config(()), Architecture(90))])\n"
    )
    environment = {
        **os.environ,
        "ROASTERY_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    process = subprocess.Popen(
        [sys.executable, str(script)], env=environment, stderr=subprocess.PIPE
    )
    try:
        wait_for(lambda: mark.exists() and mark.read_text() != "")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert b"KeyboardInterrupt" in errors
    worker = int(mark.read_text())
    wait_for(lambda: not alive(worker))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_missing_triton_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=r"pip install roastery\[gpu\]"):
        triton_version(tmp_path)
