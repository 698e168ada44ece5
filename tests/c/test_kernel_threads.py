"""The pool of threads: results have the same bits for any number of threads, and nothing hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compiler.c.lower import lower_to_c
from compiler.c.support import shared_pool_source
from compiler.options import CompileOptions
from ir.errors import RoasteryError
from ir.ops.convolution import ConvWeightGrad
from roastery.devices.compile_options import CompileRequest
from runtime.cpu.backend import CpuBackend
from runtime.cpu.launches import CArgument, CLaunch, LaunchTable
from runtime.cpu.thread_pool import thread_pool
from runtime.machine.threads import number_of_threads
from tests.interpret.kernel_runner import single
from tests.support import c_kernels, sample_nets
from tests.support.c_kernels import needs_compiler
from tests.support.training_run import Training, train

LENET = sample_nets.lenet(batch=3)


def trained(threads: int) -> Training:
    target = replace(c_kernels.machine(), processors=threads)
    return train(LENET, CpuBackend(c_kernels.compiler(), target=target), 2)


@needs_compiler
def test_the_bits_are_those_of_one_thread() -> None:
    alone = trained(1)
    for threads in (2, 5):
        found = trained(threads)
        assert found.losses == alone.losses
        for ours, theirs in ((found.data, alone.data), (found.diff, alone.diff)):
            for name, array in theirs.items():
                np.testing.assert_array_equal(ours[name], array, name)


@pytest.mark.parametrize("l2_cache", [1 << 14, 1 << 20, 1 << 21])
def test_sums_are_split_alike(l2_cache: int) -> None:
    """Over a batch of images, for a gradient of few weights: however many processors there are."""
    op = ConvWeightGrad(stride=(1, 1), pad=(0, 0), dilation=(1, 1), window=(5, 5))
    node = single(op, (64, 1, 28, 28), (64, 20, 24, 24), schedule="contract")

    def splits(processors: int) -> int:
        target = replace(c_kernels.machine(), processors=processors, l2_cache=l2_cache)
        return lower_to_c(node, CompileOptions(target=target))[0].grid[1]

    assert splits(1) > 1
    assert {splits(processors) for processors in (1, 2, 3, 5, 8, 64)} == {splits(1)}


def table(threads: int, programs: int = 1000, launches: int = 50) -> tuple[LaunchTable, np.ndarray]:
    """Copies of a part to the next one: each launch needs all of that before it."""
    pool = thread_pool(c_kernels.compiler())
    part = programs * 4096
    memory = np.zeros((launches + 1, part), np.uint8)
    memory[0] = np.arange(part) % 251
    made = []
    for number in range(launches):
        given = (CArgument * 3)()
        given[0].pointer = memory[number + 1].ctypes.data
        given[1].pointer = memory[number].ctypes.data
        given[2].size = part
        made.append(CLaunch(pool.copy, given, programs, programs, 2 * part, memory))
    return LaunchTable(made, pool, threads), memory


@needs_compiler
@pytest.mark.parametrize("threads", [1, 2, 5, 40])
def test_launches_wait_for_each_other(threads: int) -> None:
    run, memory = table(threads, programs=37)
    for _ in range(20):
        memory[1:] = 0
        run()
        assert (memory == memory[0]).all()


@needs_compiler
def test_several_threads_of_python_run_launches() -> None:
    tables = [table(3, programs=29, launches=20) for _ in range(4)]
    wrong = []

    def work(run: LaunchTable, memory: np.ndarray) -> None:
        for _ in range(30):
            memory[1:] = 0
            run()
            if not (memory == memory[0]).all():
                wrong.append(memory)

    threads = [threading.Thread(target=work, args=one) for one in tables]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@needs_compiler
def test_a_fork_has_threads_of_its_own() -> None:
    run, memory = table(3, programs=29, launches=10)
    run()
    child = os.fork()
    if child == 0:
        memory[1:] = 0
        run()
        os._exit(0 if (memory == memory[0]).all() else 1)
    assert os.waitpid(child, 0)[1] == 0
    run()


@needs_compiler
def test_threads_have_names_and_end_with_the_process(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from tests.c.test_kernel_threads import table\n"
        "run, _ = table(4); run()\n"
        "print(sorted(p.read_text().strip() for p in Path('/proc/self/task').glob('*/comm')))\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert all(f"roastery-{number}" in done.stdout for number in (1, 2, 3))


def test_the_number_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROASTERY_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert number_of_threads(None, 6) == 6
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert number_of_threads(None, 6) == 4
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert number_of_threads(None, 6) == 6
    monkeypatch.setenv("ROASTERY_THREADS", "3")
    assert number_of_threads(None, 6) == 3
    assert number_of_threads(2, 6) == 2
    target = replace(c_kernels.machine(), processors=6)
    assert CompileRequest(threads=5).options(target).target.processors == 5
    for wrong in ("0", "-1", "two", "1.5", "257", "9" * 50):
        monkeypatch.setenv("ROASTERY_THREADS", wrong)
        with pytest.raises(RoasteryError, match="ROASTERY_THREADS is"):
            number_of_threads(None, 6)
    with pytest.raises(RoasteryError, match="threads is '0'"):
        number_of_threads(0, 6)


@needs_compiler
def test_the_pool_is_plain_c(tmp_path: Path) -> None:
    """Exported nets hold it."""
    (tmp_path / "pool.c").write_text(shared_pool_source())
    command = [*c_kernels.compiler().command, "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1"]
    done = subprocess.run(
        [*command, "-c", "pool.c", "-o", "pool.o"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
