"""A program put at other sizes is, as text, what lowering the net at these sizes gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.zoo.resnet50 import resnet50
from examples.googlenet.make_net import googlenet
from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.program import NetProgram
from ir.program_sizes import OtherSizes
from ir.text import format_graph
from roastery.reading import nets
from tests.support import golden
from tests.support.layer_cases import all_cases, fixing
from tests.support.lowering import inputs, lowered, program_of
from tests.support.other_sizes import CHANGES, Shapes, changed, shapes_of
from tests.support.sample_nets import conv, dense, lenet, pool, relu


def text(program: NetProgram) -> str:
    """All of a program that depends on sizes."""
    layers = [
        (layer.key, layer.bottom_values, layer.top_values, layer.labels, layer.first, layer.last)
        for layer in program.layers
    ]
    variables = [(name, str(v.type)) for name, v in program.variables.items()]
    lines = [format_graph(program.graph), *map(repr, (*layers, *program.blobs.items())), variables]
    return "\n".join(map(str, lines))


def check(net: Message, phase: str) -> set[str]:
    """Every change of sizes, forth and back; the layers that refused one."""
    here = program_of(net, phase)
    fixed: set[str] = set()
    if here.sizes is None:
        return fixed
    for change in CHANGES.values():
        shapes = changed(here, change)
        try:
            there = program_of(net, phase, shapes=shapes)
        except RoasteryError:
            with pytest.raises(OtherSizes):
                here.at(shapes)
            continue
        for program, other, wanted in (
            (here, shapes, there),
            (there, shapes_of(here), here),
        ):
            try:
                found = program.at(other)
            except OtherSizes as refusal:
                # Two inputs that happen to have one extent share a symbol.
                if not str(refusal).startswith("'"):
                    names = {name for name in fixing() if f"({name})" in str(refusal)}
                    assert names, refusal
                    fixed |= names
                continue
            assert text(found) == text(wanted)
    return fixed


@pytest.mark.parametrize("kind", sorted({case.layer_type for case in all_cases()}))
def test_a_layer_at_other_sizes(kind: str) -> None:
    """It keeps a size only if its records' FIXES say why, and then it does."""
    fixed: set[str] = set()
    for case in all_cases():
        if case.layer_type == kind:
            fixed |= check(nets.net_from_text(case.prototxt, f"{case.name}.prototxt"), case.phase)
    assert fixed == {kind} & set(fixing())


@pytest.mark.parametrize("path", golden.LAYERS, ids=lambda path: path.stem)
def test_a_recorded_net_at_other_sizes(path: Path) -> None:
    text, phase = golden.recorded_net(path)
    check(nets.net_from_text(text, "net.prototxt"), phase)


@pytest.mark.parametrize(
    "net", [resnet50(2), googlenet(4), lenet(64)], ids=["resnet50", "googlenet", "lenet"]
)
@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_a_net_at_other_sizes(net: str, phase: str) -> None:
    check(nets.net_from_text(net, "net.prototxt"), phase)


def test_one_program_for_batches_of_1_5_and_64() -> None:
    program = lowered(lenet(64))
    for batch in (1, 5, 64):
        shapes = {"data": (batch, 1, 28, 28), "label": (batch,)}
        assert text(program.at(shapes)) == text(lowered(lenet(batch)))


def refusal(program: NetProgram, shapes: Shapes) -> str:
    with pytest.raises(OtherSizes) as caught:
        program.at(shapes)
    return str(caught.value)


def test_a_refusal_names_the_layer_that_fixes_a_size() -> None:
    program = lowered(lenet(64))
    here = {"data": (64, 1, 28, 28), "label": (64,)}
    assert (
        refusal(program, {**here, "data": (64, 1, 30, 28)})
        == "the image height (H) is fixed at 28: layer 'ip1' (InnerProduct), net.prototxt:7"
    )
    assert "axis 1 is 1" in refusal(program, {**here, "data": (64, 3, 28, 28)})
    assert "it had 4 axes" in refusal(program, {**here, "data": (64, 1, 28)})
    assert "the batch size (N) is 5" in refusal(program, {**here, "data": (5, 1, 28, 28)})
    assert "0" in refusal(program, {"data": (0, 1, 28, 28), "label": (0,)})


def test_an_image_that_a_window_no_longer_fits_is_refused() -> None:
    text = (
        inputs(x=(2, 3, 20, 20))
        + conv("c", "x", 4, 5)
        + relu("c")
        + pool("p", "c", "kernel_size: 3 stride: 2")
    )
    program = lowered(text)
    assert "(Convolution)" in refusal(program, {"x": (2, 3, 4, 20)})
    assert "(Pooling)" in refusal(program, {"x": (2, 3, 5, 20)})
    assert program.at({"x": (2, 3, 7, 9)}).blobs["p"][0].shape == (2, 4, 1, 2)


def test_at_a_batch_of_one_a_layer_may_need_the_number() -> None:
    """What is refused for a batch that only happens to be 1 is lowered with numbers."""
    states = inputs(c=(1, 4, 3), g=(1, 4, 12), cont=(1, 4))
    program = lowered(
        states + 'layer { name: "l" type: "LSTMUnit" bottom: "c" bottom: "g" bottom: "cont" '
        'top: "c1" top: "h1" }'
    )
    assert program.blobs["h1"][0].shape == (1, 4, 3)


def test_what_is_equal_today_is_one_symbol_and_what_is_fixed_is_known() -> None:
    program = lowered(inputs(a=(4, 3, 8, 8), b=(4, 3, 8, 9)) + dense("ip", "b", 2))
    assert program.sizes is not None and program.general is not None
    types = [str(port.value.type) for port in program.general.graph.inputs[:2]]
    assert types == ["f32[N,3,H,W]", "f32[N,3,H,W_2]"]
    assert list(program.sizes.sentences()) == [
        "the batch size (N) may change: it is 4",
        "the image height (H) is fixed at 8: layer 'ip' (InnerProduct), net.prototxt:3",
        "the image width (W) may change: it is 8",
        "the image width (W_2) is fixed at 9: layer 'ip' (InnerProduct), net.prototxt:3",
    ]


@pytest.mark.parametrize(
    ("shape", "dims", "sentences"),
    [
        ((4, 3, 8), (12, 8), [
            "the batch size (N) and axis 2 of 'x' (H) may change only together (they are 4 and 8): "
            "H * N must stay 32 for layer 'r' (Reshape), net.prototxt:2",
        ]),
        ((2, 4, 6, 6), (0, 2, -1, 6), [
            "the batch size (N) may change: it is 2",
            "the image height (H) and the image width (W) may change only together "
            "(they are 6 and 6): H * W must be a multiple of 3 for layer 'r' (Reshape), "
            "net.prototxt:2",
        ]),
        ((2, 4, 6, 9), (0, -1, 8, 9), [
            "the batch size (N) may change: it is 2",
            "the image height (H) and the image width (W) may change only together "
            "(they are 6 and 9): H * W must be a multiple of 18 for layer 'r' (Reshape), "
            "net.prototxt:2",
        ]),
        ((2, 4, 6), (0, -1, 8), [
            "the batch size (N) may change: it is 2",
            "axis 2 of 'x' (H) may change: it is 6, and H must be a multiple of 2 for layer 'r' "
            "(Reshape), net.prototxt:2",
        ]),
        ((4, 6), (2, 12), [
            "the batch size (N) is fixed at 4: layer 'r' (Reshape), net.prototxt:2",
        ]),
    ],
)  # fmt: skip
def test_what_changes_together_is_said_once(
    shape: tuple[int, ...], dims: tuple[int, ...], sentences: list[str]
) -> None:
    reshape = f"reshape_param {{ shape {{ {' '.join(f'dim: {d}' for d in dims)} }} }}"
    layer = f'layer {{ name: "r" type: "Reshape" bottom: "x" top: "r" {reshape} }}'
    program = lowered(f"{inputs(x=shape).strip()}\n{layer}")
    assert program.sizes is not None
    assert list(program.sizes.sentences()) == sentences
