"""Checks everything that runs on ``cuda`` against ``reference``, then measures it.

    python benchmarks/gpu_check.py                       # on a machine with a GPU: all of it
    python benchmarks/gpu_check.py --only layers,training
    python benchmarks/gpu_check.py --golden FOLDER       # recordings, instead of the tests' own
    python benchmarks/gpu_check.py --device interpret --only masks   # how it looks without one

One line per check: how many comparisons, the worst error and where it is. Ends with status 1 when
anything differs by more than the tolerance or raises. Kernels are compiled in one go at first.
"""

# ruff: noqa: E402  (the path and the number of threads are set before anything is imported)

from __future__ import annotations

import argparse
import gc
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "4")

import numpy as np

from compiler.options import CompileOptions
from compiler.partitions import by_layer, whole
from compiler.precision import kernel_tolerance
from compiler.triton.compile.early_start import CAPABILITY as EARLY_START
from ir.errors import RoasteryError
from ir.graph import Graph
from ir.program import NetProgram
from roastery.api.exporting import PORTABLE, export_program
from roastery.bench.groups import groups_of
from roastery.bench.measure import measured
from roastery.devices.backends import choose_device, open_backend
from roastery.reading import nets
from runtime import artifact
from runtime.backends.backend import Backend, prepare
from runtime.backends.reference import ReferenceBackend
from runtime.cuda.backend import CudaBackend
from runtime.cuda.driver import CapturedGraph, query_devices
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support import executor_run, golden
from tests.support.layer_cases import all_cases
from tests.support.layer_run import Arrays, LayerRun
from tests.support.lowering import program_of
from tests.support.sample_nets import INCEPTION, dense, inputs, layer, lenet
from tests.support.training_run import Training, lowered, train, worst

TOLERANCE = 1e-4
LEARNING_TOLERANCE = 2e-3  # after twenty iterations roundings have grown
NET_TOLERANCE = 1e-3  # of whole nets' parameter diffs
NETS = ("lenet", "googlenet", "resnet50")
ITERATIONS = 20
SHOWN = 12  # failures of one check


@dataclass
class Report:
    """What one check found: errors by name, and what went wrong."""

    errors: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, error: float, tolerance: float = TOLERANCE) -> None:
        self.errors[name] = error
        if not error <= tolerance:
            self.failures.append(f"{name}: error {error:.2e}, allowed {tolerance:.0e}")

    def attempt(self, name: str, work: Callable[[], Iterable[tuple[str, float]]]) -> None:
        """Add what ``work`` gives; an exception is a failure of its own."""
        try:
            for part, error in work():
                self.add(f"{name} {part}", error)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            self.failures.append(f"{name}: {type(error).__name__}: {error} ({place})"[:600])

    def line(self, name: str, seconds: float) -> str:
        state = "ok" if not self.failures else f"FAILED {len(self.failures)}"
        text = f"{name:<10} {len(self.errors):6} compared"
        if self.errors:
            most = max(self.errors, key=lambda k: np.nan_to_num(self.errors[k], nan=np.inf))
            text += f"  worst {self.errors[most]:.1e} ({most})"
        return f"{text}  {state}  {seconds:.1f} s"


@dataclass
class Setting:
    """What checks need to know."""

    device: str
    backend: Backend
    golden: Path
    limit: int | None  # records per check


# --- compiling ------------------------------------------------------------------------------


def warm_up(setting: Setting, wanted: set[str]) -> None:
    """Compile the kernels of everything in one go, where that is a matter of compiling."""
    graphs: list[Graph] = []
    programs: list[NetProgram] = []
    if "layers" in wanted:
        programs += [LayerRun(case).program for case in all_cases()[: setting.limit]]
    if "golden" in wanted:
        programs += list(_golden_programs(setting))
    for program in programs:
        graphs += _graphs(program)
    prepare(setting.backend, graphs, CompileOptions(setting.backend.target))


def _golden_programs(setting: Setting) -> Iterator[NetProgram]:
    for path in sorted((setting.golden / "layers").glob("*.npz"))[: setting.limit]:
        with np.load(path) as case:
            text, phase = case["prototxt"].tobytes().decode(), str(case["phase"])
        yield program_of(nets.net_from_text(text, path.stem), phase)


def _graphs(program: NetProgram) -> Iterator[Graph]:
    store, nothing = Store(program.variables, seed=1), ReferenceBackend()
    for cut in (whole(program), by_layer(program)):
        yield from PartitionedNet(
            program, nothing, store, partitioning=cut, options=CompileOptions(nothing.target)
        ).graphs()


# --- checks ---------------------------------------------------------------------------------


def check_layers(setting: Setting, report: Report) -> None:
    """Every record of a layer, in both plans, against the reference in float64."""
    for case in all_cases()[: setting.limit]:
        run = executor_run.rounded(LayerRun(case))
        truth = run.forward()
        gradients = run.gradients(executor_run.seeds_of(run))
        for plan in (executor_run.layerwise, executor_run.fused):

            def compare(
                plan: Callable[..., executor_run.Results] = plan,
                run: LayerRun = run,
                truth: Arrays = truth,
                gradients: Arrays = gradients,
            ) -> Iterator[tuple[str, float]]:
                outputs, diffs = plan(run, setting.backend)
                yield from executor_run.differences(outputs, truth).items()
                for name, error in executor_run.differences(diffs, gradients).items():
                    yield f"diff of {name}", error

            report.attempt(f"{case.name} {plan.__name__}", compare)


def check_golden(setting: Setting, report: Report) -> None:
    """What Caffe computed: layers and solvers."""
    layers = sorted((setting.golden / "layers").glob("*.npz"))[: setting.limit]
    solvers = sorted((setting.golden / "solvers").glob("*.npz"))[: setting.limit]
    if not layers:
        report.failures.append(f"there are no recordings in {setting.golden}")
    os.environ["ROASTERY_DEVICE"] = setting.device
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in layers:
            report.attempt(
                f"{path.stem} layerwise",
                lambda path=path: golden.layerwise_errors(path, setting.device, folder).items(),
            )
            report.attempt(
                f"{path.stem} fused",
                lambda path=path: golden.fused_errors(path, setting.device).items(),
            )
        for path in solvers:
            report.attempt(path.stem, lambda path=path: golden.solver_errors(path, folder))


def check_training(setting: Setting, report: Report) -> None:
    """LeNet, twenty iterations in both plans; and the same twice gives the same bits."""
    text = lenet(8)
    settings: dict[str, dict] = {
        "sgd": {},
        "adam": {"type": "Adam", "iter_size": 2, "base_lr": 0.001},
        "clipped": {"clip_gradients": 1.0, "display": 5},
    }
    for name, chosen in settings.items():

        def compare(chosen: dict = chosen) -> Iterator[tuple[str, float]]:
            expected = _train(text, ReferenceBackend(), chosen)
            for layerwise in (False, True):
                plan = "layerwise" if layerwise else "fused"
                ours = _train(text, setting.backend, chosen, layerwise=layerwise)
                again = _train(text, setting.backend, chosen, layerwise=layerwise)
                losses = np.array(ours.losses), np.array(expected.losses)
                scale = TOLERANCE / LEARNING_TOLERANCE
                yield f"{plan} losses", scale * float(np.abs(losses[0] / losses[1] - 1).max())
                yield f"{plan} parameters", scale * worst(ours.data, expected.data)
                same = all(np.array_equal(a, again.data[k]) for k, a in ours.data.items())
                yield f"{plan} twice", 0.0 if same else np.inf

        report.attempt(name, compare)
    report.notes.append(f"errors after {ITERATIONS} iterations are shown divided by 20")


def _train(text: str, backend: Backend, chosen: dict, *, layerwise: bool = False) -> Training:
    from runtime.solver.learning_rate import LearningRateConfig

    options = dict(chosen)
    rate = LearningRateConfig("fixed", options.pop("base_lr", 0.01))
    return train(text, backend, ITERATIONS, layerwise=layerwise, learning_rate=rate, **options)


def check_precisions(setting: Setting, report: Report) -> None:
    """In each precision: all kernels of an inception module against the reference, and that a net
    learns as in float32."""
    target = setting.backend.target
    expected = _train(lenet(8), ReferenceBackend(), {})
    for precision in target.precisions:
        options, allowed = CompileOptions(target, precision), kernel_tolerance(precision)
        for row in measured(
            groups_of(lowered(INCEPTION), options, backward=True), setting.backend, options, None, 0
        ):
            report.add(f"{precision} {row.kernel}", row.error, allowed)
        ours = _train(lenet(8), setting.backend, {"precision": precision})
        off = np.abs(np.subtract(ours.losses, expected.losses)) / np.abs(expected.losses)
        report.add(f"{precision} losses of {ITERATIONS} iterations", float(off.max()), 10 * allowed)


def check_masks(setting: Setting, report: Report) -> None:
    """Dropout draws the same mask on every executor, forward and backward, pass after pass."""
    text = (
        "force_backward: true\n"
        + inputs(data=(7, 33, 5))
        + layer("drop", "Dropout", "data", "dropout_param { dropout_ratio: 0.3 }")
    )
    program = lowered(text)

    def run(backend: Backend) -> list[np.ndarray]:
        net = PartitionedNet(
            program,
            backend,
            Store(program.variables, seed=11),
            options=CompileOptions(backend.target),
        )
        net.prepare_backward()
        net.inputs.take({"data": np.ones((7, 33, 5), np.float32)})
        found = []
        for _ in range(4):
            net.forward()
            found.append(net.output("drop").copy())
            found += [a.copy() for a in net.backward_from({"drop": np.ones((7, 33, 5))}).values()]
        return found

    def compare() -> Iterator[tuple[str, float]]:
        ours, theirs = run(setting.backend), run(ReferenceBackend())
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            yield f"pass {i // 2}", 0.0 if np.array_equal(a != 0, b != 0) else np.inf
            yield f"values {i // 2}", executor_run.difference(a, b)

    report.attempt("dropout", compare)


def check_views(setting: Setting, report: Report) -> None:
    """Numpy views that are kept show later results, and what is written to them counts."""
    text = inputs(data=(3, 5)) + layer("twice", "Power", "data", "power_param { scale: 2 }")
    program = lowered(text)
    net = PartitionedNet(
        program,
        setting.backend,
        Store(program.variables, seed=1),
        options=CompileOptions(setting.backend.target),
    )
    x, y = net.inputs["data"].data.array, None

    def compare() -> Iterator[tuple[str, float]]:
        nonlocal y
        for value in (1.0, 2.0, 3.0):
            x[...] = value
            net.forward(fed=True)
            if y is None:
                y = net.output("twice")
            yield f"of {value:g}", executor_run.difference(y, np.full((3, 5), 2.0 * value))

    report.attempt("view", compare)
    report.attempt("held", lambda: _held(setting.backend))


def _held(backend: Backend) -> Iterator[tuple[str, float]]:
    """Views of parameters and diffs, kept while a net trains: live, and written to in between."""
    ours, theirs = (_TrainedNet(where) for where in (backend, ReferenceBackend()))
    for count in range(6):
        for net in (ours, theirs):
            net.step()
            if count == 3:  # no access through a buffer tells of this
                net.held["weights"][...] *= 0.5
                net.held["bias"][...] = 0.25
        for name, view in ours.held.items():
            yield f"{name} {count}", executor_run.difference(view, theirs.held[name])


class _TrainedNet:
    """Two layers on random numbers. ``held``: views that it never lets go of."""

    def __init__(self, backend: Backend) -> None:
        text = (
            "force_backward: true\n"
            + inputs(data=(4, 6))
            + dense("one", "data", 5)
            + dense("two", "one", 3)
        )
        program = lowered(text)
        store = Store(program.variables, seed=1)
        options = CompileOptions(backend.target)
        self.net = PartitionedNet(program, backend, store, options=options)
        self.net.prepare_backward()
        self._rng = np.random.default_rng(3)
        (weights, bias), (other, _) = (
            [name for name, c in program.variables.items() if c.layer == layer]
            for layer in ("one", "two")
        )
        self.held = {
            "weights": store.data[weights].array,
            "bias": store.data[bias].array,
            "others": store.data[other].array[1:],
            "diff": store.diff[weights].array,
        }

    def step(self) -> None:
        self.net.inputs.take({"data": self._rng.random((4, 6), np.float32)})
        self.net.forward()
        self.net.backward_from({"two": np.ones((4, 3), np.float32)})


def check_capture(setting: Setting, report: Report) -> None:
    """Garbage that holds memory of the GPU, found while launches are captured."""
    if not isinstance(setting.backend, CudaBackend):
        report.notes.append("launches are captured on cuda only")
        return
    session = setting.backend.session
    capture, captures = session.compute.capture, 0

    class Cycle:
        def __init__(self) -> None:
            self.itself = self
            device = session.device
            self.held = device.allocate(1 << 20), device.pinned(4096), device.event()

    def with_garbage(work: Callable[[], None]) -> CapturedGraph:
        nonlocal captures
        captures += 1
        Cycle()

        def disturbed() -> None:
            gc.collect()
            work()

        return capture(disturbed)

    def compare() -> Iterator[tuple[str, float]]:
        ours, theirs = (_TrainedNet(where) for where in (setting.backend, ReferenceBackend()))
        session.compute.capture = with_garbage  # type: ignore[method-assign]
        try:
            for _ in range(4):
                ours.step()
                theirs.step()
        finally:
            del session.compute.capture
        for name, view in ours.held.items():
            yield name, executor_run.difference(view, theirs.held[name])
        yield "captures", 0.0 if captures else np.inf

    report.attempt("garbage", compare)


def check_devices(setting: Setting, report: Report) -> None:
    """The same net on two GPUs, in turn and from two threads, gives the same bits."""
    if not isinstance(setting.backend, CudaBackend):
        report.notes.append("two devices: GPUs are needed")
        return
    count = len(query_devices(setting.backend.session.device.driver))
    if count < 2:
        report.notes.append(f"two devices: not checked, the driver finds {count}")
        return
    own = setting.backend.session.device.properties.index
    other = open_backend(f"cuda:{(own + 1) % count}")

    def compare() -> Iterator[tuple[str, float]]:
        here, there = _TrainedNet(setting.backend), _TrainedNet(other)
        for turn in range(4):
            here.step()
            there.step()
            for name, view in here.held.items():
                yield f"{name} {turn}", executor_run.difference(view, there.held[name])
        expected = _train(lenet(8), setting.backend, {})
        with ThreadPoolExecutor(2) as pool:
            backends = (setting.backend, other)
            runs = list(pool.map(lambda where: _train(lenet(8), where, {}), backends))
        scale = TOLERANCE / LEARNING_TOLERANCE  # the other may be of another kind
        for name, run in zip(("here", "there"), runs, strict=True):
            yield f"trained {name}", scale * worst(run.data, expected.data)

    report.attempt("devices", compare)


def check_early(setting: Setting, report: Report) -> None:
    """Kernels that begin while those before them end give the same bits."""
    own = setting.backend
    if not isinstance(own, CudaBackend) or own.target.capability < EARLY_START:
        report.notes.append("kernels that begin early: GPUs from Hopper on are needed")
        return
    early = CudaBackend(own.session.device.properties.index, early=True)

    def compare() -> Iterator[tuple[str, float]]:
        for name, text in (("lenet", lenet(8)), ("inception", INCEPTION)):
            ours, theirs = (_train(text, where, {}) for where in (early, own))
            yield name, 0.0 if worst(ours.data, theirs.data) == 0.0 else np.inf

    report.attempt("early", compare)


def check_artifacts(setting: Setting, report: Report) -> None:
    """Exported nets: with code for this GPU, and with PTX that its driver compiles."""
    if not setting.device.startswith("cuda"):
        report.notes.append("artifacts are checked on cuda only")
        return
    index = int(setting.device.partition(":")[2] or 0)
    own = f"cuda:sm_{query_devices()[index].capability}"
    for name, text in (("lenet", lenet(4)), ("inception", INCEPTION)):
        program = program_of(nets.net_from_text(text, f"{name}.prototxt"), "TEST")
        store = Store(program.variables, seed=1)
        rng = np.random.default_rng(0)
        arrays = {
            port.name: (rng.integers(0, 10, port.value.shape) if port.name == "label"
                        else rng.random(port.value.shape)).astype(np.float32)
            for port in program.graph.inputs
            if port.name in program.inputs
        }  # fmt: skip
        for targets in ((own, "cpu"), (PORTABLE, "cpu")):

            def compare(
                program: NetProgram = program,
                store: Store = store,
                arrays: dict[str, np.ndarray] = arrays,
                targets: tuple[str, ...] = targets,
            ) -> Iterator[tuple[str, float]]:
                with tempfile.TemporaryDirectory() as folder:
                    path = Path(folder) / "net.roast"
                    export_program(program, store, path, targets)
                    on_gpu = artifact.load(path, setting.device)
                    expected = artifact.load(path, "cpu")(**arrays)
                    for count in range(3):  # the third call is a captured graph's second
                        found = on_gpu(**arrays)
                        for output, array in expected.items():
                            yield f"{output} {count}", executor_run.difference(found[output], array)

            report.attempt(f"{name} {targets[0]}", compare)


CHECKS: dict[str, Callable[[Setting, Report], None]] = {
    "masks": check_masks,
    "views": check_views,
    "capture": check_capture,
    "devices": check_devices,
    "layers": check_layers,
    "golden": check_golden,
    "training": check_training,
    "precisions": check_precisions,
    "artifacts": check_artifacts,
    "early": check_early,
}


# --- other programs ---------------------------------------------------------------------------


def pytest_on_gpu() -> bool:
    """The tests that need a GPU."""
    if importlib.util.find_spec("pytest") is None:
        print("tests      pytest is not installed: tests marked gpu were not run")
        return True
    return _program("tests", ["-m", "pytest", "-q", "-m", "gpu", "tests/cuda"], tail=3)


def benchmarks(device: str) -> bool:
    """The benchmarks, if the checks before them passed."""
    commands = [["benchmarks/kernels.py", "--device", device]]
    commands += [["benchmarks/nets.py", "--device", device, "--net", net] for net in NETS]
    sound = True
    for command in commands:
        if (ROOT / command[0]).exists():
            sound &= _program(Path(command[0]).stem, command)
        else:
            print(f"benchmark  {command[0]} is not there")
    return sound


def _program(name: str, command: list[str], tail: int | None = None) -> bool:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = (done.stdout + (done.stderr if done.returncode else "")).strip().splitlines()
    if done.returncode:
        lines = lines[-30:]
    elif tail:
        lines = lines[-tail:]
    print(f"{name:<10} {' '.join(command)}: {'ok' if not done.returncode else 'FAILED'}")
    print("\n".join(f"    {text}" for text in lines), flush=True)
    difference = re.search(r"difference from reference: (\S+)", done.stdout)
    return done.returncode == 0 and (difference is None or float(difference[1]) <= NET_TOLERANCE)


def describe(device: str) -> str:
    """The device and what compiles for it."""
    if not device.startswith("cuda"):
        return f"device {device}: no GPU is used, so nothing here says anything about one"
    from compiler.triton.compile import triton_version
    from runtime.cuda.driver import cuda_driver

    found = query_devices()[int(device.partition(":")[2] or 0)]
    major, minor = cuda_driver().version
    return (
        f"device {device}: {found.name}, sm_{found.capability}, {found.memory >> 30} GiB; "
        f"driver for CUDA {major}.{minor}; Triton {triton_version()}"
    )


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N; others try the script")
    parser.add_argument("--golden", type=Path, default=golden.FOLDER, help="folder of recordings")
    parser.add_argument("--only", default=",".join(CHECKS), help="checks, with commas")
    parser.add_argument("--limit", type=int, help="records of layers and recordings, at most")
    parser.add_argument("--skip-benchmarks", action="store_true")
    parser.add_argument("--skip-tests", action="store_true", help="those that pytest runs")
    args = parser.parse_args(words)
    wanted = args.only.split(",")
    if unknown := set(wanted) - CHECKS.keys():
        names = ", ".join(sorted(unknown))
        parser.error(f"no check is called {names}; checks: {', '.join(CHECKS)}")
    try:
        device = choose_device(args.device)
    except RoasteryError as error:
        print(error)
        return 1
    print(describe(device), flush=True)
    setting = Setting(device, open_backend(device), args.golden, args.limit)
    sound = True
    started = time.perf_counter()
    try:
        warm_up(setting, set(wanted))
    except Exception as error:  # each check then names the kernels that it lacks
        print(f"compiling  FAILED: {error}"[:2000])
        sound = False
    print(f"compiling  {time.perf_counter() - started:.1f} s", flush=True)
    for name in wanted:
        report, started = Report(), time.perf_counter()
        report.attempt(name, lambda name=name, report=report: CHECKS[name](setting, report) or ())
        print(report.line(name, time.perf_counter() - started))
        for text in report.notes + report.failures[:SHOWN]:
            print(f"    {text}")
        if len(report.failures) > SHOWN:
            print(f"    and {len(report.failures) - SHOWN} more")
        sys.stdout.flush()
        sound &= not report.failures
    if device.startswith("cuda"):
        if not args.skip_tests:
            sound &= pytest_on_gpu()
        if not args.skip_benchmarks:
            sound &= benchmarks(device)
    print("everything agrees" if sound else "there are mismatches or failures")
    return 0 if sound else 1


if __name__ == "__main__":
    os.environ.setdefault("GLOG_minloglevel", "1")  # nets and solvers are quiet
    sys.exit(main())
