"""Known nets, written for PyTorch: what comes out is what Roastery's reference computes."""

from __future__ import annotations

import copy
import io
import re
from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch

from benchmarks.zoo.caffenet import caffenet
from benchmarks.zoo.fcn8s import fcn8s
from benchmarks.zoo.lenet import lenet
from benchmarks.zoo.mobilenet import mobilenet
from benchmarks.zoo.resnet50 import resnet50
from benchmarks.zoo.squeezenet import squeezenet
from examples.faster_rcnn.make_net import deploy as faster_rcnn
from examples.googlenet.make_net import googlenet
from examples.ssd.make_net import deploy as ssd
from ir.graph import Role
from ir.ops.dynamic import SizeChanged
from ir.program import LOSS_OUTPUT, NetProgram
from roastery.reading import nets
from runtime.backends.reference import ReferenceBackend
from runtime.memory.store import Store
from runtime.solver.learning_rate import LearningRateConfig
from tests.support import sample_nets
from tests.support.layer_run import run_named
from tests.support.lowering import layers_of
from tests.support.training_run import Batches, train
from tests.support.written_torch import EXACT, WrittenNet, difference, settings_of


def _sized(text: str, side: int) -> str:
    """With smaller pictures."""
    return re.sub(r"dim: 3 dim: \d+ dim: \d+", f"dim: 3 dim: {side} dim: {side}", text)


def _small_fcn8s() -> str:
    """An eighth of the channels, and a small picture."""
    text = re.sub(r"num_output: (\d{2,4})", _fewer, fcn8s(1, deploy=True))
    return _sized(text, 52)


def _fewer(found: re.Match[str]) -> str:
    count = int(found[1])
    return found[0] if count == 21 else f"num_output: {min(count, 512) // 8}"


CELLS = 'num_output: 9 weight_filler { type: "xavier" }'
SCORES = f"num_output: 4 axis: 2 {sample_nets.XAVIER}"
LSTM = (
    sample_nets.inputs(words=(6, 5, 7), cont=(6, 5))
    + sample_nets.layer(
        "lstm",
        "LSTM",
        "words cont",
        'recurrent_param { num_output: 9 weight_filler { type: "xavier" } }',
    )
    + sample_nets.layer("score", "InnerProduct", "lstm", f"inner_product_param {{ {SCORES} }}")
)

NETS: Mapping[str, Callable[[], str]] = {
    "lenet": lambda: lenet(2, deploy=True),
    "caffenet": lambda: _sized(caffenet(1, deploy=True), 67),
    "googlenet": lambda: googlenet(1, 64, deploy=True),
    "ssd": ssd,
    "faster_rcnn": faster_rcnn,
    "fcn8s": _small_fcn8s,
    "resnet50": lambda: _sized(resnet50(1, deploy=True), 64),
    "squeezenet": lambda: _sized(squeezenet(1, deploy=True), 64),
    "mobilenet": lambda: _sized(mobilenet(1, deploy=True), 64),
    "inception": lambda: sample_nets.inception(2),
    "fully_convolutional": lambda: sample_nets.fully_convolutional(2, 37, 45),
}


def _program(
    text: str, phase: str = "TEST", shapes: Mapping[str, tuple[int, ...]] | None = None
) -> tuple[NetProgram, dict[str, object]]:
    layers = layers_of(nets.net_from_text(text, "net.prototxt"), phase, shapes=shapes)
    return layers.program, dict(settings_of(layers.program, layers.net))


def _values(program: NetProgram, seed: int = 3) -> dict[str, np.ndarray]:
    """Parameters as fillers make them, statistics of a net that has seen pictures, and inputs."""
    rng = np.random.default_rng(seed)
    store = Store(program.variables, seed=seed)
    values = {name: np.array(store.data[name].peek()) for name in program.variables}
    for info in program.layers:
        if info.type == "BatchNorm":
            mean, variance, weight = info.variables[:3]
            values[mean] = rng.normal(0.0, 0.2, values[mean].shape).astype(np.float32)
            values[variance] = rng.uniform(1.0, 3.0, values[variance].shape).astype(np.float32)
            values[weight] = np.full(1, 2.0, np.float32)
    for port in program.graph.inputs:
        if port.role is Role.DATA:
            shape = port.value.shape
            values[port.name] = rng.standard_normal(shape).astype(np.float32)
            if port.name == "label":
                values[port.name] = rng.integers(0, 10, shape).astype(np.float32)
            if port.name == "im_info":
                values[port.name][:] = [*program.graph.input("data").value.shape[2:], 1.0]
            if port.name == "cont":
                values[port.name] = (rng.random(shape) < 0.7).astype(np.float32)
    return values


def _expected(program: NetProgram, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return run_named(program.graph, values)


def _same(found: Mapping[str, torch.Tensor], expected: Mapping[str, np.ndarray]) -> None:
    for name, value in found.items():
        assert difference(value.detach().numpy(), expected[name]) <= EXACT, name


@pytest.mark.parametrize("name", NETS)
def test_a_net_gives_the_same(name: str) -> None:
    program, settings = _program(NETS[name]())
    values = _values(program)
    written = WrittenNet(program, values, settings)
    try:
        expected = _expected(program, values)
    except SizeChanged as changed:  # how many boxes were found
        program, _ = _program(NETS[name](), shapes=changed.shapes)
        expected = _expected(program, values)
    with torch.no_grad():
        _same(written.forward(), expected)


@pytest.mark.parametrize("batch", [1, 5])
def test_a_recurrent_net_goes_on_where_it_was(batch: int) -> None:
    """Its state is kept from pass to pass, for sequences of the batch that it was written with."""
    program, settings = _program(LSTM.replace("dim: 5", f"dim: {batch}"))
    values = _values(program)
    written = WrittenNet(program, values, settings)
    for _ in range(3):
        expected = _expected(program, values)
        with torch.no_grad():
            _same(written.forward(), expected)
        values |= {name: expected[name] for name in values.keys() & expected.keys()}
    assert any(np.any(values[name]) for name in values if name.endswith("@h"))


def test_one_text_is_for_all_sizes() -> None:
    """Batches and pictures of other sizes than those of the export."""
    text = sample_nets.resizable(2, normalised=True)
    program, settings = _program(text)
    values = _values(program)
    written = WrittenNet(program, values, settings)
    other = program.at({"data": (3, 3, 30, 41)})
    values["data"] = np.random.default_rng(7).standard_normal((3, 3, 30, 41)).astype(np.float32)
    written.inputs = {"data": torch.tensor(values["data"])}
    with torch.no_grad():
        _same(written.forward(), _expected(other, values))


_RATES = "param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }"

TRAINED = {
    "lenet": sample_nets.lenet(4).replace('type: "InnerProduct"', f'type: "InnerProduct" {_RATES}'),
    "residual": sample_nets.residual(3),
}


@pytest.mark.parametrize("name", TRAINED)
def test_a_net_trains_as_by_roastery(name: str) -> None:
    """Six steps of SGD: parameters, statistics and losses."""
    text, steps = TRAINED[name], 6
    program, settings = _program(text, "TRAIN")
    start = {n: np.array(b.peek()) for n, b in Store(program.variables, seed=3).data.items()}
    fed = [layer for layer in program.layers if layer.type == "Input"]
    sources = [Batches(layer.tops, [v.shape for v in layer.top_values]) for layer in fed]
    given = [dict(zip(s.tops, s.next().arrays, strict=True)) for s in sources]
    written = WrittenNet(
        program, {**start, **{k: v for g in given for k, v in g.items()}}, settings
    )
    groups = written.net.param_groups(lr=0.01, weight_decay=0.001)
    optimizer = torch.optim.SGD(groups, momentum=0.9)
    losses = []
    for step in range(steps):
        if step:
            given = [dict(zip(s.tops, s.next().arrays, strict=True)) for s in sources]
            written.inputs = {k: torch.tensor(v) for g in given for k, v in g.items()}
        optimizer.zero_grad()
        loss = written.forward()[LOSS_OUTPUT]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    rate = LearningRateConfig("fixed", 0.01)
    expected = train(text, ReferenceBackend(), steps, learning_rate=rate)
    assert np.allclose(losses, expected.losses, rtol=EXACT)
    for variable, held in written.tensors().items():
        assert difference(held.detach().numpy(), expected.data[variable]) <= EXACT, variable
        if variable in start and "@" not in variable:
            assert np.any(held.detach().numpy() != start[variable]), variable


def test_a_module_is_copied_stored_traced_and_exported() -> None:
    """As any other: what is written for PyTorch's tools finds nothing odd in it."""
    net = sample_nets.inputs(x=(2, 3, 6, 6)) + "".join(
        (
            sample_nets.conv("conv", "x", 4, 3),
            sample_nets.layer("clip", "Clip", "conv", "clip_param { min: -0.5 max: 0.5 }"),
            sample_nets.layer("norm", "BatchNorm", "clip"),
            sample_nets.layer("norm2", "MVN", "norm"),
        )
    )
    program, settings = _program(net)
    rng = np.random.default_rng(3)
    values = {
        p.name: rng.uniform(0.5, 1, p.value.shape).astype(np.float32) for p in program.graph.inputs
    }
    written = WrittenNet(program, values, settings)
    (x,) = written.inputs.values()
    expected = written.net(x)
    stored = io.BytesIO()
    torch.save(written.net, stored)
    stored.seek(0)
    for other in (
        copy.deepcopy(written.net),
        torch.load(stored, weights_only=False),
        torch.jit.trace(written.net, (x,)),
        torch.export.export(written.net, (x,)).module(),
    ):
        assert torch.equal(other(x), expected)
