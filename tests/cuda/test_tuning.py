"""Tuning on a driver made of Python, whose kernels take what a test says."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from compiler.architecture import Architecture
from compiler.binary import Binary
from compiler.kernel import Config
from compiler.kernels.choice import Choice
from compiler.options import CompileOptions
from compiler.partitions import in_one
from compiler.pipeline import compile_graph
from compiler.target import typical
from compiler.triton.compile import CompileError, Job
from compiler.triton.lower import lower_node
from compiler.triton.tuned.entry import TunedEntry
from compiler.triton.tuned.key import kernels_digest
from compiler.triton.tuned.lowering import TunedLowering
from compiler.triton.tuned.store import TunedStore
from compiler.triton.tuned.table import TunedTable, read_table
from ir.build import Builder
from ir.errors import RoasteryError, StoppedBySignal
from ir.graph import Graph, Role
from ir.graph_sizes import at_hand
from ir.ops.matmul import MatMul
from ir.types import TensorType
from roastery.cli.main import main
from roastery.tuning.alone import measuring_alone
from roastery.tuning.groups import MOST_CANDIDATES, tunable_groups
from roastery.tuning.tuner import Tuner
from runtime.cuda.backend import CudaBackend
from tests.support.fake_gpu import FakeGpu
from tests.support.sample_nets import conv, dense, inputs, relu
from tests.support.training_run import lowered

NET = 'name: "tuned"\n' + inputs(x=(64, 256)) + dense("ip", "x", 128)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROASTERY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class TimedGpu(FakeGpu):
    """Kernels do nothing, and take ``microseconds(job)``, by default all the same."""

    def __init__(self, memory: int = 1 << 28) -> None:
        super().__init__(memory)
        self.microseconds: Callable[[Job], float] = lambda job: 10.0
        self.before_compiling: Callable[[], None] = lambda: None
        self.fake.takes = lambda *launch: 0.0

    def backend(self) -> CudaBackend:
        return CudaBackend(0, driver=self.fake.driver(), compile=self.compile)

    def compile(self, jobs: Sequence[Job], progress: object = None) -> list[Binary]:
        self.before_compiling()
        return [self.install(job, self._timed(job)) for job in jobs]

    def _timed(self, job: Job) -> Any:
        def body(grid: object, *values: object) -> None:
            self.fake.now += 1e-3 * self.microseconds(job)

        return body

    def prefer(self, config: Config) -> None:
        """That it takes least."""
        sizes = dict(config.constants)

        def microseconds(job: Job) -> float:
            constants = dict(job.config.constants)
            alike = all(constants.get(name) == size for name, size in sizes.items())
            return 1.0 if alike and job.config.num_warps == config.num_warps else 10.0

        self.microseconds = microseconds


@pytest.fixture
def gpu() -> Iterator[TimedGpu]:
    gpu = TimedGpu()
    yield gpu
    gpu.fake.check()


def products(*shapes: tuple[int, int, int]) -> Graph:
    """Rows, depth and columns of each."""
    b = Builder("net")
    for number, (rows, depth, columns) in enumerate(shapes):
        left = b.input(f"x{number}", TensorType((rows, depth)))
        right = b.input(f"w{number}", TensorType((depth, columns)), Role.PARAMETER)
        b.output(f"y{number}", b.emit(MatMul(), left, right))
    return b.finish()


GRAPH = products((512, 256, 256))


def options_of(backend: CudaBackend) -> CompileOptions:
    return CompileOptions(backend.target)


def tuned(gpu: TimedGpu, graph: Graph = GRAPH, **settings: Any) -> Tuner:
    backend = gpu.backend()
    tuner = Tuner(backend, backend.tuned, **{"limit": 1e9, **settings})
    groups = tunable_groups(graph, at_hand(graph), options_of(backend))
    tuner.tune(groups, lambda done, total: None)
    return tuner


def choices(gpu: TimedGpu) -> list[Choice]:
    backend = gpu.backend()
    (group,) = tunable_groups(GRAPH, at_hand(GRAPH), options_of(backend))
    return list(group.candidates)


def used(gpu: TimedGpu, graph: Graph = GRAPH) -> Config:
    """The configuration that a new process has for the graph's first kernel."""
    backend = gpu.backend()
    options = options_of(backend)
    compiled = compile_graph(graph, TunedLowering(backend.tuned.find), options)
    return compiled.launches[0].config


# --- what is measured -----------------------------------------------------------------


def test_the_fastest_choice_is_kept_and_used(gpu: TimedGpu) -> None:
    first, *others = choices(gpu)
    assert 1 < len(others) + 1 <= MOST_CANDIDATES
    wanted = next(c for c in others if c.config != first.config and c.splits == 1)
    gpu.prefer(wanted.config)
    report = tuned(gpu).report
    (entry,) = report.measured
    assert entry.choice.config == wanted.config
    assert (entry.microseconds, entry.modelled) == pytest.approx((1.0, 10.0))
    assert (report.groups, report.known, report.in_time, report.failed) == (1, 0, True, {})
    assert used(gpu) == wanted.config.having("SPLIT", 0)
    again = tuned(gpu).report
    assert (again.measured, again.known) == ([], 1)
    assert len(tuned(gpu, again=True).report.measured) == 1


def test_equal_times_keep_what_the_model_prefers(gpu: TimedGpu) -> None:
    first, *_ = choices(gpu)
    (entry,) = tuned(gpu).report.measured
    assert entry.choice == first


def test_every_measurement_begins_with_cold_caches(gpu: TimedGpu) -> None:
    tuned(gpu)
    calls = [
        c for c in gpu.fake.calls if c in ("cuMemsetD8Async", "cuEventRecord", "cuLaunchKernel")
    ]
    begins = [i for i, call in enumerate(calls) if call == "cuMemsetD8Async"]
    measured = [calls[i + 1] for i in begins]
    assert measured.count("cuEventRecord") >= 5 * len(choices(gpu))
    assert calls.count("cuEventRecord") == 2 * measured.count("cuEventRecord")


def test_two_at_a_time_measure_in_turn(gpu: TimedGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one takes what the other has measured while it waited."""
    backend = gpu.backend()
    store, device = backend.tuned, backend.session.device.properties.index
    (group,) = tunable_groups(GRAPH, at_hand(GRAPH), options_of(backend))
    first, second = tuned(gpu, products((512, 256, 128))), Tuner(backend, store, 1e9)
    assert first.report.measured and store.find(group.key) is None
    waits = threading.Thread(target=second.tune, args=([group], lambda done, total: None))
    with measuring_alone(device):
        waits.start()
        waits.join(0.2)
        assert waits.is_alive() and not second.report.measured
        entry = TunedEntry(
            group.candidates[1], kernels_digest(group.launches(group.candidates[1])), 1.0, 2.0, "ip"
        )
        TunedStore(backend.target, backend.driver).save(group.key, entry)
    waits.join(60)
    assert second.report.known == 1 and not second.report.measured
    assert second.report.entries == {group.key: entry}
    script = (
        "from roastery.tuning.alone import measuring_alone\n"
        "with measuring_alone(0): print('alone', flush=True); input()"
    )
    command = [sys.executable, "-c", script]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as other:  # type: ignore[call-overload]
        assert other.stdout.readline() == b"alone\n"
        other.kill()
    with measuring_alone(0), measuring_alone(1):
        pass  # a killed process holds nothing
    monkeypatch.setenv("ROASTERY_CACHE", "/proc/nowhere")
    with measuring_alone(0):
        pass


def test_parts_of_larger_tensors_get_memory_of_all(gpu: TimedGpu) -> None:
    """Kernels write them where they belong in what a Concat puts together."""
    text = inputs(x=(4, 16, 14, 14), t=(4,))
    for name in ("one", "two"):
        text += conv(name, "x", 16, 3, "pad: 1") + relu(name)
    text += 'layer { name: "both" type: "Concat" bottom: "one" bottom: "two" top: "both" }\n'
    backend = gpu.backend()
    program = lowered(text + conv("next", "both", 16, 3))
    _, graph = in_one(program, options_of(backend), False)
    groups = tunable_groups(graph, program.values, options_of(backend))
    parts = [group for group in groups if group.wholes]
    assert parts and len(groups) > len(parts)
    sizes: set[int] = set()

    def timed(job: Job) -> Any:
        def body(grid: object, *values: int) -> None:
            sizes.update(len(gpu.fake.allocations[v]) for v in values if v in gpu.fake.allocations)

        return body

    gpu._timed = timed  # type: ignore[method-assign]
    tuner = Tuner(backend, backend.tuned, 1e9)
    tuner.tune(parts, lambda done, total: None)
    (whole,) = {group.at.number(t.nbytes) for group in parts for t in group.wholes.values()}
    assert whole == 4 * 4 * 32 * 14 * 14
    assert any(size >= whole for size in sizes), (sizes, tuner.report)


def test_groups_that_compute_the_same_are_measured_once(gpu: TimedGpu) -> None:
    report = tuned(gpu, products((512, 256, 256), (512, 256, 256), (64, 256, 256))).report
    assert (report.groups, len(report.measured)) == (2, 2)


def test_a_split_is_measured_with_what_adds_its_parts(gpu: TimedGpu) -> None:
    graph = products((64, 2048, 64))
    gpu.microseconds = lambda job: 100.0 if job.kernel.entry == "sum_partials" else 10.0
    (entry,) = tuned(gpu, graph).report.measured
    assert entry.choice.splits == 1
    gpu.microseconds = lambda job: 10.0 if dict(job.config.constants).get("SPLIT", 1) else 100.0
    (entry,) = tuned(gpu, graph, again=True).report.measured
    assert entry.choice.splits > 1


# --- limits and failures ----------------------------------------------------------------


def test_the_time_limit_leaves_the_rest_for_later(gpu: TimedGpu) -> None:
    graph = products((512, 256, 256), (256, 512, 256), (64, 256, 256))
    now = iter(range(1000))
    tuner = tuned(gpu, graph, limit=8, clock=lambda: float(next(now)))
    report = tuner.report
    assert 1 <= len(report.measured) < report.groups == 3
    assert not report.in_time
    rest = tuned(gpu, graph).report
    assert rest.known == len(report.measured)
    assert len(rest.measured) == 3 - rest.known


def test_no_time_measures_nothing(gpu: TimedGpu) -> None:
    report = tuned(gpu, limit=0.0).report
    assert (report.measured, report.in_time) == ([], False)
    assert gpu.fake.launches == []


def test_a_candidate_that_does_not_compile_is_left_out(
    gpu: TimedGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = choices(gpu)
    wrong = next(c.config for c in others if c.config != first.config)
    compile = gpu.compile

    def failing(jobs: Sequence[Job], progress: object = None) -> list[Binary]:
        bad = [job for job in jobs if job.config.constants[:-1] == wrong.constants]
        if bad:
            raise CompileError([(job, "too much shared memory") for job in bad])
        return compile(jobs)

    monkeypatch.setattr(gpu, "compile", failing)
    report = tuned(gpu).report
    assert report.measured[0].choice == first and not report.failed


def test_operands_that_the_device_does_not_hold(gpu: TimedGpu) -> None:
    gpu.fake.memory = (4 << 20) + (1 << 19)
    report = tuned(gpu, products((1024, 1024, 512), (64, 64, 64))).report
    assert list(report.failed) == ["matmul"]
    assert "do not fit" in report.failed["matmul"]
    assert len(report.measured) == 1


def test_what_was_found_before_a_signal_is_kept(gpu: TimedGpu) -> None:
    rounds = iter(range(9))

    def stop() -> None:
        if next(rounds) == 2:
            raise StoppedBySignal(2, "interrupted")

    gpu.before_compiling = stop
    graph = products((512, 256, 256), (256, 512, 256), (64, 256, 256))
    with pytest.raises(StoppedBySignal):
        tuned(gpu, graph)
    assert len(gpu.backend().tuned.table.entries) == 2


# --- the store ----------------------------------------------------------------------------


def files(cache: Path) -> list[Path]:
    return [path for path in (cache / "tuned").rglob("*") if path.is_file()]


def damaged(data: bytes) -> Iterator[bytes]:
    yield b""
    yield data[:-3]
    yield data[:40]
    yield data[:50] + bytes([data[50] ^ 4]) + data[51:]
    yield b"\0" * len(data)


def test_damaged_choices_are_told_once_and_not_used(
    gpu: TimedGpu, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = choices(gpu)
    wanted = next(c for c in others if c.config != first.config and c.splits == 1)
    gpu.prefer(wanted.config)
    tuned(gpu)
    (path,) = files(cache)
    data = path.read_bytes()
    for bad in damaged(data):
        caplog.clear()
        path.write_bytes(bad)
        with caplog.at_level(logging.WARNING):
            assert used(gpu).constants[:-1] == first.config.constants
        (record,) = caplog.records
        assert "a tuned choice is damaged" in record.getMessage()
        assert str(path) in record.getMessage()
    path.write_bytes(data)
    assert used(gpu).constants[:-1] == wanted.config.constants


def test_other_devices_and_drivers_have_choices_of_their_own(gpu: TimedGpu, cache: Path) -> None:
    tuned(gpu)
    target = gpu.backend().target
    (key,) = gpu.backend().tuned.table.entries
    for other in (
        TunedStore(replace(target, name="Another"), "12.4"),
        TunedStore(replace(target, processors=5), "12.4"),
        TunedStore(target, "12.5"),
    ):
        assert other.find(key) is None
    assert TunedStore(target, "12.4").find(key) is not None


def test_what_is_no_choice_or_of_another_kernel_is_passed_by(gpu: TimedGpu) -> None:
    first, other, *_ = choices(gpu)
    tuned(gpu)
    backend = gpu.backend()
    ((key, entry),) = backend.tuned.table.entries.items()
    odd = replace(first, config=Config((("M", 7), ("N", 1 << 20), ("K", 3))))
    for wrong in (
        replace(entry, choice=odd),
        replace(entry, choice=replace(first, splits=1 << 40)),
        replace(entry, choice=other, kernels="0" * 64),
    ):
        backend.tuned.save(key, wrong)
        assert used(gpu).constants[:-1] == first.config.constants
    # It is measured again.
    assert len(tuned(gpu).report.measured) == 1


def test_two_compiles_with_one_store_are_the_same(gpu: TimedGpu) -> None:
    gpu.prefer(choices(gpu)[-1].config)
    tuned(gpu)
    assert used(gpu) == used(gpu)


# --- tables -------------------------------------------------------------------------------


def test_a_table_is_read_as_it_was_written(gpu: TimedGpu, tmp_path: Path) -> None:
    gpu.prefer(choices(gpu)[1].config)
    table = tuned(gpu).table
    table.write(tmp_path / "net.tuned")
    found = read_table(tmp_path / "net.tuned")
    assert found == table
    assert found.target.name == "Fake 0" and found.driver == "12.4"
    options = CompileOptions(found.target)
    (launch, *_) = compile_graph(GRAPH, TunedLowering(found.find), options).launches
    assert launch.config.constants[:-1] == choices(gpu)[1].config.constants


ENTRY = {
    "choice": {
        "config": {"constants": [["M", 32]], "num_warps": 4, "num_stages": 2},
        "splits": 1, "second": None, "group": 1,
    },
    "kernels": "0", "microseconds": 1.0, "modelled": 2.0, "label": "ip",
}  # fmt: skip
GOOD = {"format": "roastery tuned kernels", "version": 1, "driver": "12.4", "target": {},
        "entries": {"a" * 64: ENTRY}}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no table of tuned kernels"),
        (b"\xff\xfe", "is no table of tuned kernels"),
        (b"[" * 100_000, "is no table of tuned kernels"),
        (b"[]", "is no table of tuned kernels"),
        ({**GOOD, "format": "x"}, "is no table of tuned kernels"),
        ({**GOOD, "version": 2}, "has version 2 of tables"),
        ({**GOOD, "version": None}, "has version None of tables"),
        ({**GOOD, "entries": []}, "is damaged: it has no entries"),
        ({**GOOD, "driver": 12}, "is damaged: it has no entries or no driver"),
        ({**GOOD, "entries": {"x": ENTRY}}, "is damaged: 'x' is no key"),
        ({**GOOD, "entries": {"a" * 64: {}}}, "entry aaaaaaaa is no measured choice"),
        ({**GOOD, "entries": {"a" * 64: {**ENTRY, "choice": 3}}}, "is damaged"),
        ({**GOOD, "entries": {"a" * 64: {**ENTRY, "label": "x" * 999}}}, "is damaged"),
        ({**GOOD, "target": {"processors": "many"}}, "is damaged: processors must be int"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "net.tuned"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(RoasteryError) as caught:
        read_table(path)
    assert told in caught.value.message and "roastery tune NET" in str(caught.value)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=r"there is no table"):
        read_table(tmp_path / "none")


# --- the command --------------------------------------------------------------------------


@pytest.fixture
def here(gpu: TimedGpu, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TimedGpu:
    """The machine has this GPU."""
    backend = gpu.backend()
    monkeypatch.setattr("roastery.devices.backends.cuda_missing", lambda: None)
    monkeypatch.setattr("roastery.devices.backends._cuda_backend", lambda index: backend)
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    return gpu


def test_tune_measures_a_net_and_writes_a_table(
    here: TimedGpu, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tune", "net.prototxt", "--output=net.tuned"]) == 0
    shown = capsys.readouterr().out
    assert "Fake 0, float32: " in shown and "kernels measured in" in shown
    assert "wrote net.tuned: " in shown
    table = read_table("net.tuned")
    assert {entry.label for entry in table.entries.values()} >= {"ip"}
    assert main(["tune", "net.prototxt", "--output=again.tuned"]) == 0
    assert ", 1 were before" in capsys.readouterr().out
    assert Path("again.tuned").read_text() == Path("net.tuned").read_text()


def test_tune_at_several_batch_sizes(here: TimedGpu) -> None:
    assert main(["tune", "net.prototxt", "--batch=8", "--batch=512", "--output=net.tuned"]) == 0
    assert len(read_table("net.tuned").entries) == 2


def test_tune_tells_of_a_batch_that_cannot_be(
    here: TimedGpu, capsys: pytest.CaptureFixture[str]
) -> None:
    reshape = 'layer { name: "r" type: "Reshape" bottom: "x" top: "r" reshape_param { shape {'
    Path("net.prototxt").write_text(inputs(x=(64, 256)) + f"{reshape} dim: 64 dim: 256 }} }} }}")
    assert main(["tune", "net.prototxt", "--batch=8"]) == 1
    assert "--batch 8: " in capsys.readouterr().err


def test_ctrl_c_keeps_and_writes_what_was_found(
    here: TimedGpu, capsys: pytest.CaptureFixture[str]
) -> None:
    text = inputs(x=(64, 256)) + dense("a", "x", 128) + dense("b", "a", 64) + dense("c", "b", 32)
    Path("net.prototxt").write_text(text)
    rounds = iter(range(9))

    def stop() -> None:
        if next(rounds) == 1:
            raise StoppedBySignal(2, "interrupted")

    here.before_compiling = stop
    assert main(["tune", "net.prototxt", "--output=net.tuned"]) == 130
    assert "1 of 3 kernels measured" in capsys.readouterr().out
    assert len(read_table("net.tuned").entries) == 1


def test_export_takes_a_table_of_the_targets_generation(
    here: TimedGpu, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tune", "net.prototxt", "--phase=TEST", "--output=net.tuned"]) == 0
    capsys.readouterr()
    flags = ["net.prototxt", "--output=net.roast", "--tuned=net.tuned"]
    for wrong in ("cuda:sm_80", "cpu"):
        assert main(["export", *flags, f"--target={wrong}"]) == 1
        assert "were tuned on Fake 0, a cuda:sm_90; the targets are" in capsys.readouterr().err
    assert main(["export", *flags, "--target=cuda:sm_90", "--tune"]) == 1
    assert "leave one out" in capsys.readouterr().err
    assert main(["export", "net.prototxt", "--target=c", "--tuned=net.tuned"]) == 1
    assert "target c has none" in capsys.readouterr().err
    assert main(["export", *flags, "--target=cuda:sm_90", "--time-limit=5"]) == 1
    assert "--time-limit is for --tune" in capsys.readouterr().err


def test_export_plans_for_the_gpu_that_was_measured(here: TimedGpu) -> None:
    """By a file, and by what it measures itself: one artifact."""
    here.prefer(Config((("M", 64), ("N", 64), ("K", 32)), 4, 3))
    net = ["net.prototxt", "--target=cuda:sm_90"]
    assert main(["export", *net, "--output=plain.roast"]) == 0
    assert main(["export", *net, "--output=tuned.roast", "--tune"]) == 0
    assert main(["tune", "net.prototxt", "--phase=TEST", "--output=net.tuned"]) == 0
    assert main(["export", *net, "--output=shipped.roast", "--tuned=net.tuned"]) == 0
    plain, tuned, shipped = (plan_of(f"{name}.roast") for name in ("plain", "tuned", "shipped"))
    assert tuned == shipped != plain
    (entry,) = read_table("net.tuned").entries.values()
    assert entry.choice.config.constants == (("M", 64), ("N", 64), ("K", 32))
    assert '["M", 64], ["N", 64], ["K", 32]' in tuned


def plan_of(path: str) -> str:
    """As an artifact holds it."""
    with ZipFile(path) as file:
        (name,) = (n for n in file.namelist() if "plan" in n)
        return json.dumps(json.loads(file.read(name)))


def test_without_a_gpu_tune_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("roastery.devices.backends.cuda_missing", lambda: "there is no driver")
    net = tmp_path / "net.prototxt"
    net.write_text(NET)
    for flags, named in (([], "cuda"), (["--device=cuda:3"], "cuda:3")):
        assert main(["tune", str(net), *flags]) == 1
        told = capsys.readouterr().err
        reason = f"device {named} is not there: there is no driver"
        assert f"tuning measures kernels on a GPU: {reason}" in told
        assert "--tuned FILE" in told
    for device in ("cpu", "reference", "interpret"):
        assert main(["tune", str(net), f"--device={device}"]) == 1
        assert f"device {device} has nothing to tune" in capsys.readouterr().err


def test_the_environment_names_a_table(
    gpu: TimedGpu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from roastery.devices.backends import tuned_lowering

    assert tuned_lowering() is None
    monkeypatch.setenv("ROASTERY_TUNED", "none")
    assert tuned_lowering() is lower_node
    monkeypatch.setenv("ROASTERY_TUNED", str(tmp_path / "missing"))
    with pytest.raises(RoasteryError, match="ROASTERY_TUNED: there is no table"):
        tuned_lowering()
    wanted = choices(gpu)[1]
    gpu.prefer(wanted.config)
    tuned(gpu).table.write(tmp_path / "net.tuned")
    monkeypatch.setenv("ROASTERY_TUNED", str(tmp_path / "net.tuned"))
    lower = tuned_lowering()
    assert lower is not None
    (launch, *_) = compile_graph(GRAPH, lower, options_of(gpu.backend())).launches
    assert launch.config.constants[:-1] == wanted.config.constants


def test_no_entry_changes_nothing() -> None:
    target = typical(Architecture(90))
    table = TunedTable(target, "12.4", {"a" * 64: TunedEntry(Choice(Config(())), "", 1.0, 1.0)})
    plain, other = (
        compile_graph(GRAPH, lower, CompileOptions(target)).launches
        for lower in (lower_node, TunedLowering(table.find))
    )
    assert [(n.kernel, n.config, n.grid) for n in plain] == [
        (n.kernel, n.config, n.grid) for n in other
    ]
