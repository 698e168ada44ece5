"""Executables and artifacts called by several threads: every call gets its own results."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import roastery
from compiler.options import CompileOptions
from roastery.api.exporting import export_net
from roastery.reading.nets import net_from_text
from runtime.backends.reference import ReferenceBackend
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.fake_gpu import FakeGpu
from tests.support.lowering import layers_of
from tests.support.sample_nets import batch_norm, conv, dense, inputs, layer, pool, relu

THREADS, CALLS = 4, 40
NET = (
    inputs(x=(2, 3, 9, 9))
    + conv("c", "x", 4, 3)
    + batch_norm("c")
    + relu("c")
    + pool("p", "c", "pool: AVE global_pooling: true")
    + dense("y", "p", 5)
)
SHAPES = [(2, 3, 9, 9), (5, 3, 9, 9), (1, 3, 12, 7), (3, 3, 9, 10)]


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Threads change places a thousand times more often than they do otherwise."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[int], None], count: int = THREADS) -> None:
    """Run ``work`` with the number of the thread in each; raises what any of them raises."""
    failures: list[BaseException] = []
    begin = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            begin.wait()
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def examples(shapes: list[tuple[int, ...]] = SHAPES) -> list[np.ndarray]:
    random = np.random.default_rng(3)
    return [random.normal(size=shape).astype(np.float32) for shape in shapes * 3]


def compiled(text: str = NET, phase: str = "TEST", **options: Any) -> roastery.Executable:
    return roastery.compile(net_from_text(text), phase=phase, device="reference", **options)


def assert_calls_agree(net: Callable[..., Any], xs: list[np.ndarray]) -> None:
    """Each thread's results, kept to the end, are those of calls one after the other."""
    expected = [net(x=x)["y"] for x in xs]
    assert not np.array_equal(expected[0], expected[len(xs) // 3])

    def work(number: int) -> None:
        order = [(number + i * (number + 1)) % len(xs) for i in range(CALLS)]
        found = [(i, net(x=xs[i])["y"]) for i in order]
        for i, y in found:
            np.testing.assert_array_equal(y, expected[i])

    in_threads(work)


@pytest.mark.parametrize("freeze", [False, True])
def test_an_executable_with_changing_sizes(freeze: bool) -> None:
    assert_calls_agree(compiled(freeze=freeze), examples())


def test_an_executable_that_learns_from_each_call() -> None:
    """In TRAIN the layers keep running means: every call counts, and only once."""
    net, alone = compiled(phase="TRAIN"), compiled(phase="TRAIN")
    x = examples()[0]
    in_threads(lambda number: [net(x=x) for _ in range(10)] and None)
    for _ in range(10 * THREADS):
        alone(x=x)
    for mine, theirs in zip(net.parameters["bn_c"], alone.parameters["bn_c"], strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_an_artifact(tmp_path: Path) -> None:
    export_net(net_from_text(NET), None, tmp_path / "net.roast", ["cpu"])
    net = roastery.load(tmp_path / "net.roast", "cpu")
    assert_calls_agree(net, examples(SHAPES[:1]))


@pytest.mark.parametrize("phase", ["TEST", "TRAIN"])
def test_backward_belongs_to_the_threads_own_pass(phase: str) -> None:
    text = inputs(x=(2, 6)) + dense("h", "x", 4) + layer("t", "TanH", "h") + dense("y", "t", 2)
    net = compiled(text, phase)
    xs = examples([(2, 6), (3, 6), (1, 6), (5, 6)])
    expected = []
    for x in xs:
        net(x=x)
        expected.append(net.backward(y=np.ones((len(x), 2)))["x"])
    fresh = compiled(text, phase)

    def work(number: int) -> None:
        for i in range(20):
            which = (number * 3 + i) % len(xs)
            fresh(x=xs[which])
            found = fresh.backward(y=np.ones((len(xs[which]), 2)))["x"]
            np.testing.assert_array_equal(found, expected[which])

    in_threads(work)


def test_dropout_masks_stay_with_their_passes() -> None:
    net = compiled(inputs(x=(1, 400)) + layer("y", "Dropout", "x"), "TRAIN")
    ones = np.ones((1, 400), np.float32)
    seen: list[bytes] = []

    def work(number: int) -> None:
        for _ in range(15):
            y = net(x=ones)["y"]
            np.testing.assert_array_equal(net.backward(y=ones)["x"], y)
            seen.append(y.tobytes())

    in_threads(work)
    assert len(set(seen)) == 15 * THREADS  # every pass drew a mask of its own


def test_backward_without_a_pass_of_its_own() -> None:
    """A thread that has run nothing goes on with what another has run."""
    net = compiled(inputs(x=(1, 3)) + layer("y", "Power", "x", "power_param { power: 2 }"))
    net(x=np.array([[1.0, 2, 3]]))
    found = []
    thread = threading.Thread(target=lambda: found.append(net.backward(y=np.ones((1, 3)))["x"]))
    thread.start()
    thread.join()
    np.testing.assert_allclose(found[0], [[2, 4, 6]])


def test_a_failing_call_leaves_the_others_right() -> None:
    net = compiled()
    xs = examples()
    expected = [net(x=x)["y"] for x in xs]

    def work(number: int) -> None:
        for i in range(CALLS):
            if number == 0:
                with pytest.raises(roastery.RoasteryError):
                    net(x=np.ones((2, 4, 9, 9)) if i % 2 else np.ones((2, 3, 1, 1)))
            else:
                which = (i + number) % len(xs)
                np.testing.assert_array_equal(net(x=xs[which])["y"], expected[which])

    in_threads(work)


def test_nets_are_compiled_in_threads() -> None:
    x = examples()[1]
    expected = compiled(seed=3)(x=x)["y"]

    def work(number: int) -> None:
        for _ in range(3):
            np.testing.assert_array_equal(compiled(seed=3)(x=x)["y"], expected)

    in_threads(work)


def test_one_device_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two executables on one GPU, each called by two threads."""
    backend = FakeGpu().backend()
    monkeypatch.setattr("roastery.api.compiling.open_backend", lambda name: backend)
    text = inputs(x=(2, 6)) + dense("y", "x", 4)
    nets = [compiled(text, "TRAIN"), compiled(text, "TRAIN", seed=2)]
    xs = examples([(2, 6), (3, 6)])
    expected = [[net(x=x)["y"] for x in xs] for net in nets]

    def work(number: int) -> None:
        net, right = nets[number % 2], expected[number % 2]
        for i in range(15):
            which = (i + number) % len(xs)
            np.testing.assert_allclose(net(x=xs[which])["y"], right[which], rtol=1e-6)
            found = net.backward(y=np.ones((len(xs[which]), 4)))["x"]
            np.testing.assert_allclose(
                found[0], net.parameters["y"][0].sum(0), rtol=1e-4, atol=1e-6
            )

    in_threads(work)


# --- sizes that take turns -----------------------------------------------------------------


class Counting:
    """A net whose lowerings are counted."""

    def __init__(self, text: str = NET, phase: str = "TEST") -> None:
        self.lowered = 1
        self.layers = layers_of(net_from_text(text), phase)
        program = self.layers.program
        self.net = PartitionedNet(
            program,
            ReferenceBackend(),
            Store(program.variables, seed=0),
            lower_again=self.lower,
            options=CompileOptions(),
        )

    def lower(self, *arguments: Any, **options: Any) -> Any:
        self.lowered += 1
        return self.layers.part(*arguments, **options)

    def __call__(self, **arrays: np.ndarray) -> np.ndarray:
        self.net.inputs.take(arrays)
        self.net.forward()
        return self.net.output("y").copy()


def test_sizes_that_take_turns_are_planned_once() -> None:
    net, xs = Counting(), examples()
    expected = [Counting()(x=x) for x in xs[: len(SHAPES)]]
    for _ in range(5):
        for x, right in zip(xs, expected, strict=False):
            np.testing.assert_array_equal(net(x=x), right)
    assert net.lowered == len(SHAPES)


def test_old_sizes_are_forgotten() -> None:
    net = Counting(inputs(x=(1, 3)) + dense("y", "x", 2))
    for rows in (*range(1, 21), 20, 13, 2):
        assert net(x=np.ones((rows, 3))).shape == (rows, 2)
    assert net.lowered == 21  # 13 was still there, 2 was not


def test_an_input_that_keeps_its_size_keeps_its_values() -> None:
    net = Counting(inputs(x=(1, 3), z=(1, 2)) + dense("h", "x", 2) + layer("y", "TanH", "z"))
    net(x=np.ones((1, 3)), z=np.full((1, 2), 0.5))
    net.net.inputs.put({"x": np.ones((4, 3), np.float32)})
    net.net.forward()
    np.testing.assert_allclose(net.net.output("y"), np.tanh(np.full((1, 2), 0.5)))


def test_a_recurrent_net_begins_anew_at_another_size() -> None:
    """h belongs to one batch size: coming back to a size begins anew, too, as it always did."""
    lstm = (
        inputs(x=(3, 2, 4), cont=(3, 2))
        + 'layer { name: "y" type: "LSTM" bottom: "x" bottom: "cont" top: "y" recurrent_param '
        '{ num_output: 5 weight_filler { type: "xavier" } } }'
    )
    net = Counting(lstm)
    random = np.random.default_rng(0)
    two, three = (random.normal(size=(3, n, 4)).astype(np.float32) for n in (2, 3))
    on = [np.ones((3, n), np.float32) for n in (2, 3)]
    first = net(x=two, cont=on[0])
    assert not np.array_equal(net(x=two, cont=on[0]), first)  # goes on
    other = net(x=three, cont=on[1])
    np.testing.assert_array_equal(net(x=two, cont=on[0]), first)
    np.testing.assert_array_equal(net(x=three, cont=on[1]), other)
    assert net.lowered == 2
