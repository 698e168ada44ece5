"""What a user's code raises arrives as it was raised, wherever it was called from."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import roastery
import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.training.solvers import build_solver

MODULE = """
import caffe

WHEN = ""          # the method that fails, and
ERROR = [None]     # what it raises

class Failing(caffe.Layer):
    def _pass(self, method):
        if method == WHEN:
            raise ERROR[0]

    def setup(self, bottom, top):
        self._pass("setup")

    def reshape(self, bottom, top):
        self._pass("reshape")
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        self._pass("forward")
        top[0].data[...] = bottom[0].data

    def backward(self, top, propagate_down, bottom):
        self._pass("backward")
        bottom[0].diff[...] = top[0].diff
"""
NET = """layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 } } }
layer { name: "w" type: "InnerProduct" bottom: "x" top: "h" inner_product_param { num_output: 2 } }
layer { name: "py" type: "Python" bottom: "h" top: "y" PHASE
  python_param { module: "failing_layers" layer: "Failing" } }
layer { name: "l" type: "Reduction" bottom: "h" top: "l" loss_weight: 1 }
layer { name: "m" type: "Reduction" bottom: "y" top: "m" loss_weight: 1 PHASE }
"""
SOLVER = """net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 3 type: "SGD"
snapshot_after_train: false """
PLACE = "net.prototxt:3:1 (layer 'py')"


class Odd(Exception):
    def __init__(self, first, second, *, third):
        self.parts = first, second, third

    def __str__(self):
        raise LookupError("this class cannot be shown")


@dataclass(frozen=True)
class Locked(Exception):
    number: int


class Base(BaseException):
    pass


ERRORS = {
    "KeyError": lambda: KeyError("roidb"),
    "StopIteration": lambda: StopIteration(7),
    "StopAsyncIteration": lambda: StopAsyncIteration(),
    "GeneratorExit": lambda: GeneratorExit(),
    "SystemExit": lambda: SystemExit(3),
    "KeyboardInterrupt": lambda: KeyboardInterrupt(),
    "ImportError": lambda: ImportError("late"),
    "OSError": lambda: FileNotFoundError(2, "No such file", "images.txt"),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    "RoasteryError": lambda: RoasteryError("told by the layer"),
    "group": lambda: ExceptionGroup("two", [ValueError(1), KeyError(2)]),
    "odd": lambda: Odd(1, 2, third=3),
    "locked": lambda: Locked(4),
    "base": lambda: Base("not an Exception"),
}


class Layers:
    """The user's module: says which method raises what."""

    def __init__(self) -> None:
        self.module: object = __import__("failing_layers")

    def fail(self, method: str, error: BaseException) -> None:
        self.module.WHEN, self.module.ERROR[0] = method, error


@pytest.fixture
def layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layers:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("roastery.caffe.modes._handler.level", 2)
    Path("failing_layers.py").write_text(MODULE)
    write("")
    Path("solver.prototxt").write_text(SOLVER)
    caffe.install()
    yield Layers()
    sys.modules.pop("failing_layers", None)
    sys.modules.pop("caffe", None)


def write(phase: str) -> None:
    """The net, its Python layer in one phase only if ``phase`` says so."""
    only = f"include {{ phase: {phase} }}" if phase else ""
    Path("net.prototxt").write_text(NET.replace("PHASE", only))


def assert_arrives(error: BaseException, call: Callable[[], object]) -> None:
    try:
        call()
    except BaseException as caught:
        assert caught is error
        if not isinstance(error, Locked):
            (note,) = error.__notes__
            assert PLACE in note and "failing_layers.py:" in note
    else:
        pytest.fail("nothing was raised")


@pytest.mark.parametrize("kind", ERRORS)
def test_every_class_arrives_from_every_method(layers: Layers, kind: str) -> None:
    net = caffe.Net("net.prototxt", caffe.TRAIN)
    solver = caffe.SGDSolver("solver.prototxt")
    for method, call in [
        ("setup", lambda: caffe.Net("net.prototxt", caffe.TRAIN)),
        ("reshape", lambda: caffe.get_solver("solver.prototxt")),
        ("reshape", net.forward),
        ("forward", net.forward),
        ("forward", lambda: net.forward(start="w", end="py")),
        ("backward", net.backward),
        ("backward", lambda: net.backward(start="py")),
        ("forward", lambda: solver.step(1)),
        ("backward", solver.solve),
    ]:
        error = ERRORS[kind]()
        layers.fail(method, error)
        assert_arrives(error, call)
    layers.fail("", KeyError())
    net.forward()  # goes on afterwards
    solver.step(1)


def test_they_arrive_from_every_other_call(layers: Layers) -> None:
    text = NET.replace("DummyData", "Input").replace("dummy_data_param", "input_param")
    Path("net.prototxt").write_text(text.replace("PHASE", ""))
    net = caffe.Net("net.prototxt", caffe.TEST)
    x = np.ones((4, 3), np.float32)
    compiled = roastery.compile("net.prototxt", phase="TRAIN")
    compiled(x=x[:2])
    for method, call in [
        ("forward", lambda: net.forward_all(x=x)),
        ("forward", lambda: net.forward_backward_all(x=x)),
        ("setup", lambda: roastery.compile("net.prototxt")),
        ("forward", lambda: compiled(x=x)),
        ("backward", compiled.backward),
        ("setup", lambda: roastery.check_gradient("net.prototxt")),
        ("forward", lambda: roastery.check_gradient("net.prototxt")),
    ]:
        layers.fail("", KeyError())
        compiled(x=x[:2])
        error = StopIteration(1)
        layers.fail(method, error)
        assert_arrives(error, call)


def test_they_arrive_from_test_nets_and_built_solvers(layers: Layers) -> None:
    write("TEST")
    tests = SOLVER + "test_iter: 1 test_interval: 1"
    Path("solver.prototxt").write_text(tests)
    solver, built = caffe.SGDSolver("solver.prototxt"), build_solver("solver.prototxt")
    for call in (lambda: solver.step(1), solver.test_nets[0].forward, built.solve):
        error = StopIteration(1)
        layers.fail("forward", error)
        assert_arrives(error, call)
    error = StopIteration(2)
    layers.fail("setup", error)
    assert_arrives(error, lambda: build_solver("solver.prototxt"))


def test_they_arrive_in_threads(layers: Layers) -> None:
    net = caffe.Net("net.prototxt", caffe.TRAIN)
    error = StopIteration(1)
    layers.fail("forward", error)
    caught: list[BaseException] = []

    def work() -> None:
        try:
            net.forward()
        except BaseException as found:
            caught.append(found)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert caught == [error]


def test_an_error_of_a_net_that_a_layer_runs_names_both(layers: Layers) -> None:
    Path("inner.prototxt").write_text('layer { name: "in" type: "Nothing" top: "x" }')
    with pytest.raises(RoasteryError) as inner:
        caffe.Net("inner.prototxt", caffe.TEST)
    net = caffe.Net("net.prototxt", caffe.TRAIN)
    error = RoasteryError("as the inner net's", location=inner.value.location)
    layers.fail("forward", error)
    assert_arrives(error, net.forward)
    assert "inner.prototxt:1" in str(error)


def test_causes_stay_and_notes_do_not_pile_up(layers: Layers) -> None:
    net = caffe.Net("net.prototxt", caffe.TRAIN)
    cause, context = ValueError("cause"), TypeError("context")
    error = KeyError("raised again and again")
    error.__cause__, error.__context__ = cause, context
    for _ in range(3):
        layers.fail("forward", error)
        assert_arrives(error, net.forward)
        assert error.__cause__ is cause
        assert error.__context__ is context
    shown = "".join(traceback.format_exception(error))
    assert "PythonLayerError" not in shown
    assert "raise ERROR[0]" in shown


@pytest.mark.parametrize("kind", ["StopIteration", "locked", "SystemExit"])
def test_exceptions_of_callbacks_arrive_with_their_layer(layers: Layers, kind: str) -> None:
    solver = caffe.SGDSolver("solver.prototxt")

    def fail(number: int) -> None:
        if number == solver.net._layer_names.index("py"):
            raise error

    for net, call in ((solver.net, lambda: solver.step(1)), (solver.net, solver.net.forward)):
        net.before_forward(fail)
        error = ERRORS[kind]()
        with pytest.raises(type(error)) as caught:
            call()
        assert caught.value is error
        if kind != "locked":
            assert f"{PLACE}: before_forward callback" in error.__notes__[0]


@pytest.mark.parametrize("kind", ["StopIteration", "Exit"])
def test_exceptions_of_solver_callbacks_arrive(layers: Layers, kind: str) -> None:
    solver = caffe.SGDSolver("solver.prototxt")
    error = StopIteration(1) if kind == "StopIteration" else SystemExit(2)

    def fail() -> None:
        raise error

    solver.add_callback(lambda: None, fail)
    with pytest.raises(type(error)) as caught:
        solver.solve()
    assert caught.value is error


def test_modules_that_cannot_be_imported(layers: Layers) -> None:
    text = Path("net.prototxt").read_text()
    Path("net.prototxt").write_text(text.replace("failing_layers", "surely_nowhere"))
    for kind in (ModuleNotFoundError, RoasteryError):  # Python's error, and ours
        with pytest.raises(kind, match="no Python module 'surely_nowhere'"):
            caffe.Net("net.prototxt", caffe.TRAIN)
    for line, kind in (
        ("import surely_nowhere", ImportError),
        ("{}['a']", KeyError),
        ("raise StopIteration", StopIteration),
        ("import sys; sys.exit(1)", SystemExit),
    ):
        Path("breaking_layers.py").write_text(line)
        Path("net.prototxt").write_text(text.replace("failing_layers", "breaking_layers"))
        with pytest.raises(kind) as caught:
            caffe.Net("net.prototxt", caffe.TRAIN)
        assert PLACE in caught.value.__notes__[0]
        assert "breaking_layers.py:1" in caught.value.__notes__[0]


@pytest.mark.parametrize("kind", ["StopIteration", "SystemExit", "odd", "base", "RoasteryError"])
@pytest.mark.parametrize("method", ["setup", "forward", "backward"])
def test_the_command_line_tells_one_error(
    layers: Layers, method: str, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    layers.fail(method, ERRORS[kind]())
    assert main(["train", "-solver", "solver.prototxt"]) == 1
    said = capfd.readouterr().err
    assert said.count("error: ") == 1
    assert f"error: net.prototxt:3:1 (layer 'py'): {method}: " in said
    assert "Traceback" not in said


def test_commands_built_on_pycaffe_tell_one_error(
    layers: Layers, capfd: pytest.CaptureFixture[str]
) -> None:
    caffe.Net("net.prototxt", caffe.TRAIN).save("w.caffemodel")
    for error in (StopIteration(1), SystemExit(0)):
        layers.fail("forward", error)
        assert main(["extract_features", "w.caffemodel", "net.prototxt", "y", "f", "1", "lmdb"])
        said = capfd.readouterr().err
        assert f"error: {PLACE}: forward: {type(error).__name__}" in said
        assert "Traceback" not in said


def test_scripts_keep_their_exceptions(layers: Layers, capfd: pytest.CaptureFixture[str]) -> None:
    layers.fail("forward", KeyError("roidb"))
    Path("script.py").write_text("import caffe\ncaffe.Net('net.prototxt', caffe.TRAIN).forward()\n")
    assert main(["python", "script.py"]) == 1
    said = capfd.readouterr().err
    assert "Traceback" in said and "KeyError: 'roidb'" in said and PLACE in said
    layers.fail("forward", SystemExit(5))
    with pytest.raises(SystemExit) as caught:
        main(["python", "script.py"])
    assert caught.value.code == 5
