"""The code that talks to the CUDA driver, with a driver made of Python functions."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Callable

import numpy as np
import pytest
from fake_cuda import FakeCuda

import runtime.cuda.driver.libcuda as driver_module
import runtime.cuda.driver.module as module_module
import runtime.cuda.driver.stream as stream_module
from ir.errors import RoasteryError
from runtime.cuda.driver import (
    CudaError,
    CudaUnavailable,
    Device,
    Driver,
    available,
    memory,
    query_devices,
    released,
)
from runtime.cuda.driver.libcuda import cuda_driver, initialised
from runtime.cuda.driver.properties import ATTRIBUTES, DeviceProperties
from runtime.cuda.speed import rated_speed


@pytest.fixture
def fake() -> FakeCuda:
    return FakeCuda()


@pytest.fixture
def device(fake: FakeCuda) -> Device:
    return Device(0, fake.driver())


def test_properties(fake: FakeCuda) -> None:
    fake.devices = 2
    first, second = query_devices(fake.driver())
    assert (first.index, first.name, first.capability) == (0, "Fake 0", 90)
    assert (second.index, second.name, second.memory) == (1, "Fake 1", 1 << 24)
    assert first.attributes["shared_memory_optin"] == 227 << 10
    assert fake.driver().version == (12, 4)


def test_why_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CudaUnavailable, match="the driver is there and finds none"):
        FakeCuda(devices=0).driver()
    monkeypatch.setattr(driver_module, "_LIBRARY", "libcuda-that-is-nowhere.so")
    cuda_driver.cache_clear()
    try:
        answer = available()
    finally:
        cuda_driver.cache_clear()
    assert not answer
    assert "libcuda-that-is-nowhere.so is not on this machine" in answer.reason


def test_a_driver_that_does_not_start() -> None:
    fake = FakeCuda()
    fake.cuInit = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint)(lambda _: 2)  # type: ignore[attr-defined]
    with pytest.raises(CudaUnavailable, match="CUDA_ERROR_OUT_OF_MEMORY"):
        initialised(Driver(fake))


def test_which_calls_keep_the_interpreters_lock(
    fake: FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that queue; those that may wait let other threads run meanwhile."""
    asked: dict[str, set[str]] = {"CDLL": set(), "PyDLL": set()}

    class Library:
        def __init__(self, kind: str, name: str) -> None:
            self._kind = kind
            assert name == "libcuda.so.1"

        def __getattr__(self, name: str) -> object:
            asked[self._kind].add(name)
            return getattr(fake, name)

    for kind in asked:
        monkeypatch.setattr(ctypes, kind, lambda name, kind=kind: Library(kind, name))
    cuda_driver.cache_clear()
    try:
        device = Device(0, cuda_driver())
    finally:
        cuda_driver.cache_clear()
    stream, event, buffer = device.stream(), device.event(), device.allocate(64)
    stream.clear(buffer.address, 64)
    stream.upload(buffer.address, np.ones(16, np.float32))
    stream.record(event)
    event.synchronize()
    stream.synchronize()
    stream.capture(lambda: stream.copy(buffer.address, buffer.address, 64)).launch(stream)
    quick = {"cuCtxSetCurrent", "cuEventCreate", "cuMemsetD8Async", "cuEventRecord",
             "cuStreamBeginCapture_v2", "cuMemcpyDtoDAsync_v2"}  # fmt: skip
    assert asked["PyDLL"] == quick
    assert not asked["CDLL"] & quick
    assert {"cuMemcpyHtoDAsync_v2", "cuEventSynchronize", "cuStreamSynchronize", "cuGraphLaunch",
            "cuMemAlloc_v2"} <= asked["CDLL"]  # fmt: skip


def test_an_old_driver_says_so(fake: FakeCuda) -> None:
    del fake.cuGraphLaunch  # type: ignore[attr-defined]
    with pytest.raises(CudaUnavailable, match="the CUDA driver has no cuGraphLaunch"):
        fake.driver().cuGraphLaunch(None, None)


def test_an_index_that_does_not_exist(fake: FakeCuda) -> None:
    with pytest.raises(RoasteryError, match="there is no CUDA device 1; the driver finds 1"):
        Device(1, fake.driver())


def test_copies(device: Device) -> None:
    stream = device.stream()
    buffer = device.allocate(4096)
    assert buffer.address % 256 == 0
    data = np.arange(1000, dtype=np.float32)
    stream.upload(buffer.address, data)
    back = np.empty_like(data)
    stream.download(back, buffer.address)
    stream.synchronize()
    np.testing.assert_array_equal(back, data)
    other = device.allocate(4096)
    stream.copy(other.address, buffer.address, data.nbytes)
    stream.clear(buffer.address, 2000)
    stream.download(back, other.address)
    np.testing.assert_array_equal(back, data)
    stream.download(back, buffer.address)
    np.testing.assert_array_equal(back, np.where(np.arange(1000) < 500, 0, data))
    with pytest.raises(ValueError, match="contiguous"):
        stream.upload(buffer.address, data[::2])
    back.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        stream.download(back, buffer.address)


def test_pinned_memory_lives_as_long_as_its_arrays(fake: FakeCuda, device: Device) -> None:
    pinned = device.pinned(4096)
    array = pinned.array((4, 8), np.float32, offset=64)
    array[:] = 3
    assert ctypes.c_float.from_address(pinned.address + 64).value == 3
    with pytest.raises(ValueError, match="outside of 4096 pinned bytes"):
        pinned.array((1024,), np.float32, offset=4)
    del pinned
    gc.collect()
    assert len(fake.pinned) == 1
    view = array[1:]
    del array
    gc.collect()
    assert len(fake.pinned) == 1
    del view
    gc.collect()
    assert not fake.pinned


def test_memory_that_does_not_fit(fake: FakeCuda, device: Device) -> None:
    kept = device.allocate(1 << 20)
    with pytest.raises(RoasteryError, match="16777216 bytes do not fit into the memory of Fake 0"):
        device.allocate(1 << 24)
    kept.close()
    assert not fake.allocations
    device.allocate(1 << 24)


def test_events(device: Device) -> None:
    stream, other = device.stream(), device.stream()
    start, end = device.event(), device.event()
    stream.record(start)
    stream.record(end)
    other.wait(end)
    end.synchronize()
    assert not end.reached


def test_captured_work_runs_when_launched(device: Device) -> None:
    stream = device.stream()
    source, target = device.allocate(64), device.allocate(64)
    stream.clear(target.address, 64)
    graph = stream.capture(lambda: stream.copy(target.address, source.address, 64))
    result = np.empty(16, np.float32)
    for value in (1, 2):
        stream.upload(source.address, np.full(16, value, np.float32))
        stream.download(result, target.address)
        assert np.all(result == value - 1)
        graph.launch(stream)
        stream.download(result, target.address)
        assert np.all(result == value)


def test_a_failed_capture_leaves_the_stream_usable(device: Device) -> None:
    stream = device.stream()
    with pytest.raises(CudaError, match="not allowed while capturing"):
        stream.capture(stream.synchronize)
    stream.synchronize()
    with pytest.raises(CudaError, match="not allowed while capturing"):
        stream.capture(lambda: device.allocate(64) and None)


def test_what_is_released_while_capturing_waits(fake: FakeCuda, device: Device) -> None:
    """A driver refuses these calls then, and gives up the capture."""
    stream = device.stream()
    kept = device.allocate(64)
    made = {
        "memory": device.allocate(64),
        "pinned": device.pinned(64),
        "graph": stream.capture(lambda: None),
        "module": device.load(".version 7.4", "k"),
        "event": device.event(),
    }
    before = fake.live

    def work() -> None:
        stream.clear(kept.address, 64)
        made.clear()
        gc.collect()
        assert (fake.live, len(fake.allocations), len(fake.pinned)) == (before, 2, 1)

    captured = stream.capture(work)
    captured.launch(stream)
    assert (fake.live, len(fake.allocations), len(fake.pinned)) == (before - 2, 1, 0)
    fake.check()


def test_other_threads_release_at_once(fake: FakeCuda, device: Device) -> None:
    stream, buffer = device.stream(), device.allocate(64)

    def release() -> None:
        device.activate()
        buffer.close()

    def work() -> None:
        in_a_thread(release)
        assert not fake.allocations

    stream.capture(work)


def in_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_what_a_thread_without_a_context_releases_waits(fake: FakeCuda, device: Device) -> None:
    """For one that has a context: a driver refuses it there."""
    made = [device.allocate(64), device.pinned(64), device.load(".version 7.4", "k")]
    live = fake.live
    in_a_thread(made.clear)
    assert (fake.live, len(fake.allocations), len(fake.pinned)) == (live, 1, 1)
    captured = device.stream().capture(device.activate)
    assert len(fake.allocations) == 1  # not while capturing
    device.activate()
    assert (len(fake.allocations), len(fake.pinned)) == (0, 0)
    del captured
    fake.check()


def test_shared_memory_for_as_many_blocks_as_run(fake: FakeCuda, device: Device) -> None:
    """Of 228 KiB, with one of each block for the driver: threads, then registers are the limit."""
    fake.kernels["k"] = ((), lambda grid: None)
    module = device.load(".version 7.4", "k")
    module.function("k", 0, 128, 32)
    assert fake.carveouts == []
    for shared, threads, registers in (
        (3 << 10, 256, 32),  # 8 blocks of 256 threads
        (24 << 10, 128, 128),  # 4 blocks of 128 times 128 registers
        (24 << 10, 128, 121),  # which are allocated by 8 a thread
        (200 << 10, 128, 32),
    ):
        module.function("k", shared, threads, registers)
    assert fake.carveouts == [15, 44, 44, 100]


def test_nothing_looks_for_garbage_while_capturing(device: Device) -> None:
    found = []
    device.stream().capture(lambda: found.append(gc.isenabled()))
    assert found == [False] and gc.isenabled()


def test_an_image_that_does_not_load(device: Device) -> None:
    with pytest.raises(RoasteryError, match=r"PTX of kernel k .* Fake 0 \(sm_90\): ptxas fatal"):
        device.load("not ptx", "k")
    module = device.load(".version 7.4", "k")
    with pytest.raises(CudaError, match="named symbol not found"):
        module.function("k")


def test_nothing_is_left_behind(fake: FakeCuda) -> None:
    device = Device(0, fake.driver())
    fake.kernels["k"] = ((), lambda grid: None)
    stream = device.stream()
    made = [
        stream,
        stream.capture(lambda: None),
        device.event(),
        device.load(".version 7.4", "k").function("k"),
        device.allocate(64),
        device.pinned(64),
    ]
    assert fake.live == 5  # and the context
    made.clear()
    del stream
    gc.collect()
    assert fake.live == 1
    device.close()
    assert (fake.live, len(fake.allocations), len(fake.pinned)) == (0, 0, 0)


def test_nothing_is_said_when_the_interpreter_ends(
    fake: FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of modules are None by then."""
    device = Device(0, fake.driver())
    fake.kernels["k"] = ((), lambda grid: None)
    stream = device.stream()
    made = [
        stream,
        stream.capture(lambda: None),
        device.event(),
        device.load(".version 7.4", "k"),
        device.allocate(64),
        device.pinned(64),
    ]
    said: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda ignored: said.append(ignored.exc_value))
    for module in (memory, module_module, stream_module, released):
        for name in [name for name in vars(module) if not name.startswith("__")]:
            monkeypatch.setattr(module, name, None)
    del stream
    made.clear()
    gc.collect()
    assert not said


def test_what_a_gpu_can_do() -> None:
    """An H100 SXM: 67 TFLOP/s and 3.35 TB/s, says its data sheet."""
    said = dict.fromkeys(ATTRIBUTES, 0) | {
        "major": 9,
        "multiprocessors": 132,
        "clock_rate": 1_980_000,
        "memory_clock_rate": 2_619_000,
        "memory_bus_width": 5120,
    }
    speed = rated_speed(DeviceProperties(0, "H100", 80 << 30, said))
    assert round(speed.operations / 1e12) == 67
    assert round(speed.bytes_copied(1 << 20) / 1e10) == 335
    silent = rated_speed(DeviceProperties(0, "", 0, said | {"clock_rate": 0}))
    assert silent.operations == 0
