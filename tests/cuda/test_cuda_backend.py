"""The CUDA executor on a driver made of Python."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from fake_cuda import FakeCuda

from compiler import target
from compiler.architecture import Architecture
from compiler.options import CompileOptions
from compiler.triton.compile import Job
from compiler.triton.compile.store import BinaryStore
from compiler.triton.lower import lower_node
from frontends.lowering.input_sizes import InputSizes
from ir import expr as e
from ir.build import Builder
from ir.errors import RoasteryError
from ir.graph import Graph, PortKey, Role
from ir.graph_sizes import Substitution, at_hand
from ir.location import Location
from ir.ops.dynamic import NonZero, SizeChanged
from ir.ops.host import HostCall
from ir.types import TensorType
from roastery.devices.backends import choose_device
from runtime.cuda.backend import CudaBackend
from runtime.cuda.driver import Availability, query_devices
from runtime.cuda.executor import kernels as kernels_module
from runtime.cuda.executor.device_copy import device_side
from runtime.cuda.executor.graph import CudaGraph
from runtime.cuda.executor.kernels import compile_or_load
from runtime.memory.buffers import Buffer
from tests.support.fake_gpu import FakeGpu

SIZE = 20
FLAT = TensorType((SIZE,))
X, Y, TOTAL = PortKey(Role.DATA, "x"), PortKey(Role.RESULT, "y"), PortKey(Role.STATE, "total")
ONES = np.ones(SIZE, np.float32)


@pytest.fixture
def gpu() -> FakeGpu:
    return FakeGpu()


@pytest.fixture
def backend(gpu: FakeGpu) -> CudaBackend:
    return gpu.backend()


class Bound:
    """A graph bound to a buffer per port."""

    def __init__(self, backend: CudaBackend, graph: Graph) -> None:
        variables: dict[str, Buffer] = {}
        at = Substitution(at_hand(graph))

        def buffer(role: Role, name: str, type: TensorType) -> Buffer:
            inner = role in (Role.STATE, Role.PARAMETER)
            key = f"variable {name}" if inner else str(PortKey(role, name))
            return variables.setdefault(key, Buffer(at.type(type)))

        inputs = {p.key: buffer(p.role, p.name, p.value.type) for p in graph.inputs}
        outputs = {p.key: buffer(p.role, p.name, p.value.type) for p in graph.outputs}
        self.ports = {k.name: b for k, b in {**inputs, **outputs}.items()}
        self.graph: CudaGraph = backend.bind(graph, inputs, outputs, CompileOptions())

    def __getitem__(self, name: str) -> Buffer:
        return self.ports[name]

    def run(self) -> None:
        self.graph.run()


def counting_graph(host: bool = False) -> Graph:
    """y = total, which grows by 2 x each run; through a host step where asked for."""
    b = Builder("counting")
    x = b.input("x", FLAT)
    total = b.input("total", FLAT, Role.STATE)
    with b.at(Location("net.prototxt", 3, 1, "twice"), "twice"):
        step = b.map(e.arg(0) * 2.0, x)
        if host:
            call = HostCall("negate", (FLAT,), forward=lambda arrays: [-arrays[0]])
            step = b.emit(call, step)
        after = b.map(e.arg(0) + e.arg(1), total, step)
    b.output("y", b.map(e.arg(0) + 0.0, after))
    b.output("total", after, Role.STATE)
    return b.finish()


def test_runs_and_keeps_state(gpu: FakeGpu, backend: CudaBackend) -> None:
    bound = Bound(backend, counting_graph())
    bound["x"].array[...] = 1.0
    for count in (1, 2, 3, 4):
        bound.run()
        np.testing.assert_array_equal(bound["y"].peek(), 2.0 * count * ONES)
    gpu.fake.check()


def test_nothing_is_copied_that_nobody_asked_for(gpu: FakeGpu, backend: CudaBackend) -> None:
    bound = Bound(backend, counting_graph())
    bound["x"].array[...] = 1.0
    for _ in range(3):
        bound.run()
    gpu.fake.calls.clear()
    bound.run()
    copies = [c for c in gpu.fake.calls if c != "cuCtxSetCurrent"]
    assert [c for c in copies if "Alloc" in c or "cuMemcpy" in c or "Synchronize" in c] == []
    bound["y"].peek()
    bound["y"].peek()
    assert gpu.fake.calls.count("cuMemcpyDtoHAsync_v2") == 1
    gpu.fake.calls.clear()
    bound["x"].array[...] = 3.0
    bound.run()
    assert gpu.fake.calls.count("cuMemcpyHtoDAsync_v2") == 1
    np.testing.assert_array_equal(bound["y"].peek(), 14.0 * ONES)


def test_a_segment_is_captured_once(gpu: FakeGpu, backend: CudaBackend) -> None:
    b = Builder("two")
    x = b.input("x", FLAT)
    y = b.emit(HostCall("pass", (FLAT,), forward=lambda a: [a[0] + 1]), x)
    b.output("y", b.map(e.arg(0) * 2.0, y))
    b.output("z", b.sum(b.map(e.arg(0) * 3.0, y), (0,)))
    bound = Bound(backend, b.finish())
    for count in range(4):
        bound["x"].array[...] = count
        bound.run()
        np.testing.assert_array_equal(bound["y"].peek(), (count + 1) * 2.0 * ONES)
        np.testing.assert_array_equal(bound["z"].peek(), [(count + 1) * 3.0 * SIZE])
    calls = gpu.fake.calls
    assert calls.count("cuStreamBeginCapture_v2") == 1
    assert calls.count("cuGraphLaunch") == 3
    gpu.fake.check()


def test_garbage_found_while_capturing(gpu: FakeGpu, backend: CudaBackend) -> None:
    class Cycle:
        def __init__(self) -> None:
            self.itself = self
            self.memory = backend.session.device.allocate(64)

    b = Builder("two")
    x = b.input("x", FLAT)
    b.output("y", b.map(e.arg(0) * 2.0, x))
    b.output("z", b.sum(b.map(e.arg(0) * 3.0, x), (0,)))
    bound = Bound(backend, b.finish())
    bound.run()
    segment = bound.graph._steps[0][0]
    segment.calls.insert(1, ("garbage", lambda: gc.collect() and None))  # type: ignore[union-attr]
    Cycle()
    held = len(gpu.fake.allocations)
    for count in (1, 2, 3):
        bound["x"].array[...] = count
        bound.run()
        np.testing.assert_array_equal(bound["z"].peek(), [3.0 * count * SIZE])
    assert gpu.fake.calls.count("cuGraphLaunch") == 3
    assert len(gpu.fake.allocations) == held - 1
    gpu.fake.check()


@pytest.mark.parametrize("times", [1, 9])
def test_a_capture_that_is_spoiled(
    gpu: FakeGpu, backend: CudaBackend, caplog: pytest.LogCaptureFixture, times: int
) -> None:
    """By what another library does in this thread: then launches run one by one."""
    bound = Bound(backend, counting_graph())
    bound["x"].array[...] = 1.0
    bound.run()
    left = [times]

    def spoil() -> None:
        if gpu.fake._capture is not None and left[0]:
            left[0] -= 1
            gpu.fake.spoiled = True

    for name in ("begin", "end"):
        place = 0 if name == "begin" else len(bound.graph._steps[0][0].calls)  # type: ignore[union-attr]
        bound.graph._steps[0][0].calls.insert(place, (name, spoil))  # type: ignore[union-attr]
    for count in range(2, 8):
        bound.run()
        np.testing.assert_array_equal(bound["y"].peek(), 2.0 * count * ONES)
    assert [r.getMessage() for r in caplog.records] == [
        "Fake 0: launches could not be captured and run one by one, which takes longer "
        "(cuLaunchKernel: CUDA_ERROR_STREAM_CAPTURE_INVALIDATED (901): a previous error during "
        "capture); something else in this process uses CUDA meanwhile"
    ]
    tried = gpu.fake.calls.count("cuStreamBeginCapture_v2")
    assert (tried, gpu.fake.calls.count("cuGraphLaunch")) == ((2, 5) if times == 1 else (3, 0))
    gpu.fake.check()


def test_large_readings_use_memory_again(gpu: FakeGpu, backend: CudaBackend) -> None:
    buffer = Buffer(TensorType((1000,)))
    device_side(buffer.memory, backend.session).to_device()
    for value in range(5):
        buffer.fill(np.full(1000, value, np.float32))
        assert (buffer.read_later()() == value).all()
    assert gpu.fake.calls.count("cuMemHostAlloc") == 1


def test_captured_again_when_the_arena_moves(gpu: FakeGpu, backend: CudaBackend) -> None:
    def graph(size: int) -> Graph:
        b = Builder(f"inner{size}")
        x = b.input("x", TensorType((size,)))
        held = b.emit(HostCall("pass", (x.type,), forward=lambda a: [a[0] + 1]), x)
        b.output("y", b.map(e.arg(0) * 2.0, held))
        b.output("z", b.sum(b.map(e.arg(0) * 3.0, held), (0,)))
        return b.finish()

    small = Bound(backend, graph(20))
    for _ in range(3):
        small.run()
    assert gpu.fake.calls.count("cuStreamBeginCapture_v2") == 1
    large = Bound(backend, graph(5000))
    large.run()
    for count in (1, 2, 3):
        small["x"].array[...] = count
        small.run()
        np.testing.assert_array_equal(small["z"].peek(), [(count + 1) * 60.0])
    assert gpu.fake.calls.count("cuStreamBeginCapture_v2") == 2
    gpu.fake.check()


def test_views_that_are_kept_stay_live(backend: CudaBackend) -> None:
    bound = Bound(backend, counting_graph())
    x, y = bound["x"].array, bound["y"].array[3:7]
    x[...] = 1.0
    bound.run()
    assert y.tolist() == [2.0] * 4
    x[...] = 2.0  # no access through the buffer tells of this
    bound.run()
    assert y.tolist() == [6.0] * 4
    assert bound["y"].memory.device_copy.state == "host ahead"  # type: ignore[union-attr]
    del y
    bound.run()
    assert bound["y"].memory.device_copy.state == "device ahead"  # type: ignore[union-attr]
    bound["y"].peek()
    assert bound["y"].memory.device_copy.state == "equal"  # type: ignore[union-attr]


def test_parts_of_one_memory(backend: CudaBackend) -> None:
    whole = Buffer(TensorType((64,)))
    whole.array[...] = np.arange(64)
    graph = counting_graph()
    x, y, total = whole.part(0, FLAT), whole.part(32, FLAT), Buffer(FLAT)
    bound = backend.bind(
        graph,
        {X: x, TOTAL: total},
        {Y: y, TOTAL: total},
        CompileOptions(),
    )
    bound.run()
    expected = np.arange(64, dtype=np.float32)
    expected[32:52] = 2.0 * np.arange(20)
    np.testing.assert_array_equal(whole.peek(), expected)


def test_what_shares_memory_is_copied_by_itself(gpu: FakeGpu, backend: CudaBackend) -> None:
    """Parameters do: who touches one of them does not have all of them copied."""
    whole = Buffer(TensorType((4096,)))
    part = whole.part(64, FLAT)  # 20 elements, padded to 32
    x, y = Buffer(FLAT), Buffer(FLAT)
    bound = backend.bind(counting_graph(), {X: x, TOTAL: part}, {Y: y, TOTAL: part},
                         CompileOptions())  # fmt: skip
    x.array[...] = 1.0
    bound.run()
    gpu.fake.uploaded.clear()
    gpu.fake.downloaded.clear()
    part.array[...] = 5.0
    assert gpu.fake.downloaded == [128]
    bound.run()
    assert gpu.fake.uploaded == [128]
    held = part.array
    other = whole.part(256, FLAT).array
    other[...] = 3.0
    gpu.fake.downloaded.clear()
    bound.run()
    assert held.tolist() == [9.0] * SIZE
    assert other.tolist() == [3.0] * SIZE
    assert gpu.fake.downloaded == [128, 128]  # both at the run: views stay live
    held[...] = 1.0
    bound.run()
    np.testing.assert_array_equal(y.peek(), 3.0 * ONES)
    np.testing.assert_array_equal(whole.peek()[256:276], 3.0 * ONES)
    np.testing.assert_array_equal(whole.peek()[64:84], 3.0 * ONES)
    assert not whole.peek()[276:].any()


@pytest.mark.parametrize("seed", range(4))
def test_both_sides_against_plain_arrays(gpu: FakeGpu, backend: CudaBackend, seed: int) -> None:
    """Whatever is written, held, cleared, filled and read in whatever order."""
    rng = np.random.default_rng(seed)
    whole, model = Buffer(TensorType((160,))), np.zeros(160, np.float32)
    total = whole.part(32, FLAT)
    x, y = Buffer(FLAT), Buffer(FLAT)
    bound = backend.bind(counting_graph(), {X: x, TOTAL: total}, {Y: y, TOTAL: total},
                         CompileOptions())  # fmt: skip
    x.array[...] = 1.0
    held: list[tuple[np.ndarray, slice]] = []
    for step in range(200):
        start = 16 * int(rng.integers(0, 9))
        size = int(rng.integers(1, 161 - start))
        part, place = whole.part(start, TensorType((size,))), slice(start, start + size)
        match rng.integers(0, 8):
            case 0:
                part.array[...] = model[place] = step
            case 1:
                held = [*held[-2:], (part.array, place)]
            case 2 if held:
                held[0][0][...] = model[held[0][1]] = -step
            case 3:
                part.clear()
                room = part.span[1] // 4
                model[start : start + room] = 0.0
            case 4:
                values = rng.random(size).astype(np.float32)
                part.fill(values)
                model[place] = values
            case 5:
                np.testing.assert_array_equal(part.peek(), model[place])
            case 6:
                np.testing.assert_array_equal(part.read_later()(), model[place])
            case _:
                bound.run()
                model[32:52] += 2.0
        for view, where in held:
            np.testing.assert_array_equal(view, model[where])
    np.testing.assert_array_equal(whole.peek(), model)
    gpu.fake.check()


def test_clear_and_fill_stay_on_the_device(gpu: FakeGpu, backend: CudaBackend) -> None:
    bound = Bound(backend, counting_graph())
    bound["x"].array[...] = 1.0
    bound.run()
    gpu.fake.calls.clear()
    bound["total"].clear()
    batches = [np.full(SIZE, value, np.float32) for value in (5.0, 6.0, 7.0)]
    for batch in batches:
        bound["x"].fill(batch)
        bound.run()
    assert "cuMemcpyDtoHAsync_v2" not in gpu.fake.calls
    np.testing.assert_array_equal(bound["total"].peek(), 36.0 * ONES)
    np.testing.assert_array_equal(bound["x"].peek(), batches[-1])
    # A view that somebody holds shows both.
    x, total = bound["x"].array, bound["total"].array
    bound["x"].fill(batches[0])
    bound["total"].clear()
    np.testing.assert_array_equal(x, batches[0])
    assert not total.any()
    bound.run()
    np.testing.assert_array_equal(total, 10.0 * ONES)
    gpu.fake.check()


def test_padding_is_cleared_alone(backend: CudaBackend) -> None:
    bound = Bound(backend, counting_graph())
    total = bound["total"]
    total.flat[...] = 3.0
    bound.run()
    total.clear_padding()
    np.testing.assert_array_equal(total.peek(), 3.0 * ONES)
    assert not total.flat[SIZE:].any()


def test_readings_are_of_their_time(gpu: FakeGpu, backend: CudaBackend) -> None:
    bound = Bound(backend, counting_graph())
    bound["x"].array[...] = 1.0
    readings = []
    for _ in range(3):
        bound.run()
        readings.append(bound["y"].read_later())
    assert "cuStreamSynchronize" not in gpu.fake.calls
    assert [float(read()[0]) for read in reversed(readings)] == [6.0, 4.0, 2.0]
    assert float(readings[0]()[0]) == 2.0
    assert "cuEventSynchronize" in gpu.fake.calls


def test_host_steps(gpu: FakeGpu, backend: CudaBackend) -> None:
    bound = Bound(backend, counting_graph(host=True))
    bound["x"].array[...] = 1.0
    for count in (1, 2, 3):
        bound.run()
        np.testing.assert_array_equal(bound["y"].peek(), -2.0 * count * ONES)
    gpu.fake.check()


def test_a_host_step_that_raises_leaves_memory_usable(backend: CudaBackend) -> None:
    b = Builder("found")
    x = b.input("x", FLAT)
    twice = b.map(e.arg(0) * 2.0, x)
    b.output("twice", twice)
    b.output("places", b.emit(NonZero(2, "count"), twice))
    bound = Bound(backend, b.finish())
    bound["x"].array[[3, 5]] = 1.0
    bound.run()
    np.testing.assert_array_equal(bound["places"].peek(), [3, 5])
    bound["x"].array[7] = 1.0
    with pytest.raises(SizeChanged) as caught:
        bound.run()
    assert caught.value.shapes == {"count": (3,)}
    assert bound["twice"].peek()[7] == 2.0


def test_a_graph_inside_of_a_host_step(backend: CudaBackend) -> None:
    inner = Bound(backend, counting_graph(host=True))

    def call(arrays: list[np.ndarray]) -> list[np.ndarray]:
        inner["x"].array[...] = arrays[0]
        inner["total"].clear()
        inner.run()
        return [inner["y"].peek().copy()]

    b = Builder("outer")
    x = b.input("x", FLAT)
    kept = b.map(e.arg(0) * 10.0, x)
    found = b.emit(HostCall("net", (FLAT,), forward=call), kept)
    b.output("y", b.map(e.arg(0) + e.arg(1), kept, found))
    outer = Bound(backend, b.finish())
    outer["x"].array[...] = 1.0
    for _ in range(3):
        outer.run()
        np.testing.assert_array_equal(outer["y"].peek(), -10.0 * ONES)


def test_same_kernels_at_other_sizes(gpu: FakeGpu) -> None:
    def nothing(jobs: list[Job], progress: object) -> list:
        return [gpu.install(job, lambda grid, *a: None) for job in jobs]

    backend = CudaBackend(0, driver=gpu.fake.driver(), compile=nothing, lower=lower_node)  # type: ignore[arg-type]

    def graph(batch: int) -> Graph:
        b, sizes = Builder("layer"), InputSizes()
        x = b.input("x", TensorType(sizes.shape((batch, 3, 5, 5))))
        sizes.scope.close()
        scale = b.input("scale", TensorType((1, 3, 1, 1)), Role.PARAMETER)
        b.output("y", b.map(e.arg(0) * e.arg(1) + 1.0, x, scale))
        return b.finish()

    backend.prepare([(graph(4), None)], CompileOptions())
    assert len(gpu.compiled) == 1
    for batch in (4, 7, 16, 4):
        Bound(backend, graph(batch)).run()
    assert (len(gpu.compiled), len(gpu.fake.images)) == (1, 1)
    assert [launch[0] for launch in gpu.fake.launches] == [gpu.compiled[0].kernel.entry] * 4
    gpu.fake.check()


def test_memory_that_does_not_fit() -> None:
    backend = FakeGpu(memory=1 << 16).backend()
    b = Builder("wide")
    x = b.input("x", TensorType((4,)))
    b.output("y", b.sum(b.emit(HostCall("h", (TensorType((1 << 16,)),)), x), (0,)))
    with pytest.raises(RoasteryError, match="inside of 'wide' do not fit: 262144 bytes") as caught:
        Bound(backend, b.finish())
    assert "smaller batch_size" in str(caught.value)
    with pytest.raises(RoasteryError, match="131072 bytes do not fit into the memory of Fake 0"):
        b = Builder("blob")
        b.output("y", b.map(e.arg(0) + 1.0, b.input("x", TensorType((1 << 15,)))))
        Bound(backend, b.finish())


def test_failures_name_the_kernel(gpu: FakeGpu, backend: CudaBackend) -> None:
    bound = Bound(backend, counting_graph())

    def broken(*arguments: object) -> None:
        raise ValueError("broken")

    for image, (kinds, _) in list(gpu.fake.by_image.items()):
        gpu.fake.by_image[image] = (kinds, broken)
    with pytest.raises(RoasteryError, match=r"kernel twice.* \(from net.prototxt:3.*\) failed on"):
        bound.run()


def test_waiting_for_each_kernel(
    gpu: FakeGpu, backend: CudaBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROASTERY_LAUNCH_BLOCKING", "1")
    bound = Bound(backend, counting_graph())
    for _ in range(3):
        bound.run()
    assert "cuStreamBeginCapture_v2" not in gpu.fake.calls
    assert gpu.fake.calls.count("cuStreamSynchronize") >= gpu.fake.calls.count("cuLaunchKernel")


def test_two_gpus_do_not_share_a_blob(backend: CudaBackend) -> None:
    bound = Bound(backend, counting_graph())
    other = FakeGpu().backend()
    with pytest.raises(RoasteryError, match="cannot be on two GPUs"):
        other.bind(
            counting_graph(),
            {X: bound["x"], TOTAL: bound["total"]},
            {Y: bound["y"], TOTAL: bound["total"]},
            CompileOptions(),
        )


def test_batches_in_pinned_memory_are_used_again(gpu: FakeGpu, backend: CudaBackend) -> None:
    allocate = backend.batch_allocator(2)
    first = allocate((4, 5))
    first[...] = 1.0
    address = first.ctypes.data
    assert address in gpu.fake.pinned
    view = first[1:]
    del first
    assert allocate((4, 5)).ctypes.data != address
    del view
    gc.collect()
    assert address in (allocate((4, 5)).ctypes.data, allocate((4, 5)).ctypes.data)


def test_everything_is_freed(gpu: FakeGpu) -> None:
    backend = gpu.backend()
    bound = Bound(backend, counting_graph())
    for _ in range(3):
        bound.run()
    bound["x"].fill(ONES)
    assert gpu.fake.allocations
    del bound, backend
    gc.collect()
    assert not gpu.fake.allocations


@pytest.mark.parametrize(("capability", "fine"), [(61, False), (70, False), (75, True)])
def test_a_gpu_that_is_too_old(
    capability: int, fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for, it is refused with the reason; else the CPU is taken."""
    driver = FakeCuda(capability).driver()
    monkeypatch.setattr("runtime.cuda.driver.available", lambda: Availability(True))
    monkeypatch.setattr("runtime.cuda.driver.query_devices", lambda: query_devices(driver))
    monkeypatch.delenv("ROASTERY_DEVICE", raising=False)
    if fine:
        assert choose_device() == "cuda:0"
        backend = CudaBackend(driver=driver)
        assert backend.kernels.architecture == Architecture(capability)
        expected = target.gpu(
            "Fake 0", capability, processors=4, shared_memory=227 << 10, l2_cache=1
        )
        assert backend.target == expected and "tf32" not in backend.target.precisions
        return
    message = rf"sm_{capability}\) is too old: .* for sm_75 \(Turing\) and newer"
    assert choose_device() == "cpu"
    with pytest.raises(RoasteryError, match=message):
        choose_device("cuda")
    with pytest.raises(RoasteryError, match=message):
        CudaBackend(driver=driver)


def test_kernels_from_the_cache_without_triton(
    gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    store = BinaryStore(tmp_path)  # type: ignore[arg-type]
    launches = gpu.lower(_fused_node(gpu), CompileOptions())
    job = Job(launches[0].kernel, launches[0].config, Architecture(90), users=("twice",))
    (binary,) = gpu.compile([job])
    binary_key = job.key("3.9.0")

    def compile_jobs(jobs: list[Job], **options: object) -> list:
        store.save(binary_key, binary)
        return [binary]

    monkeypatch.setattr(kernels_module, "compile_jobs", compile_jobs)
    monkeypatch.setattr(kernels_module, "triton_version", lambda: "3.9.0")
    assert compile_or_load([job], store=store) == [binary]

    def missing() -> str:
        raise RoasteryError("needs Triton", hint="pip install roastery[gpu]")

    monkeypatch.setattr(kernels_module, "triton_version", missing)
    assert compile_or_load([job], store=store) == [binary]
    other = Job(job.kernel, job.config, Architecture(80))
    with pytest.raises(RoasteryError, match="needs Triton") as caught:
        compile_or_load([job, other], store=store)
    assert caught.value.hint == "pip install roastery[gpu]"


def _fused_node(gpu: FakeGpu):  # type: ignore[no-untyped-def]
    from compiler.pipeline import run_passes

    b = Builder("one")
    b.output("y", b.map(e.arg(0) * 2.0, b.input("x", FLAT)))
    return run_passes(b.finish(), CompileOptions()).nodes[0]
