"""Which layers run backward and which bottoms get a diff. Caffe: src/caffe/net.cpp, Init."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.layer_cases import LayerCase
from tests.support.layer_run import LayerRun
from tests.support.lowering import inputs, layer_named, lowered, refusal

DATA = inputs(x=(4, 3), y=(4,))
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "%s" bottom: "y" top: "loss" }\n'


def ip(name: str, bottom: str, more: str = "") -> str:
    return (
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" {more} '
        "inner_product_param { num_output: 3 } }\n"
    )


def relu(name: str, bottom: str, more: str = "") -> str:
    return f'layer {{ name: "{name}" type: "ReLU" bottom: "{bottom}" top: "{name}" {more} }}\n'


def flow(text: str) -> dict[str, tuple[bool, tuple[bool, ...]]]:
    """Layer -> runs backward, and per bottom: gets a diff."""
    return {
        m.name: (m.needs_backward, m.backward_bottoms)
        for m in lowered(text).layers
        if m.type != "Input"
    }


FROZEN = "param { lr_mult: 0 } param { lr_mult: 0 }"


def test_a_plain_net() -> None:
    assert flow(DATA + ip("a", "x") + relu("r", "a") + ip("b", "r") + LOSS % "b") == {
        "a": (True, (False,)),
        "r": (True, (True,)),
        "b": (True, (True,)),
        "loss": (True, (True, False)),
    }


def test_frozen_layers_below_are_left_out() -> None:
    text = DATA + ip("a", "x", FROZEN) + relu("r", "a") + ip("b", "r") + LOSS % "b"
    assert flow(text) == {
        "a": (False, (False,)),
        "r": (False, (False,)),
        "b": (True, (False,)),
        "loss": (True, (True, False)),
    }


def test_a_frozen_layer_in_the_middle_passes_on() -> None:
    text = DATA + ip("a", "x") + ip("b", "a", FROZEN) + LOSS % "b"
    assert flow(text)["b"] == (True, (True,))
    assert flow(text)["a"] == (True, (False,))


def test_nothing_without_a_loss() -> None:
    assert not any(runs for runs, _ in flow(DATA + ip("a", "x") + relu("r", "a")).values())


def test_a_branch_without_a_loss() -> None:
    found = flow(DATA + ip("a", "x") + relu("side", "a") + LOSS % "a")
    assert found["side"] == (False, (False,))
    assert found["a_a_0_split"] == (True, (True,))
    assert found["a"] == (True, (False,))


def test_a_loss_weight_makes_a_loss_of_any_layer() -> None:
    found = flow(DATA + ip("a", "x") + relu("r", "a", "loss_weight: 0.1"))
    assert found == {"a": (True, (False,)), "r": (True, (True,))}


@pytest.mark.parametrize("inner", [False, True])
def test_propagate_down_false_stops(inner: bool) -> None:
    """Nobody asks for diffs below: layers that learn there do not run either."""
    middle = relu("r", "a") if inner else ""
    text = DATA + ip("a", "x") + middle + ip("b", "r" if inner else "a", "propagate_down: false")
    found = flow(text + LOSS % "b")
    assert found["b"] == (True, (False,))
    assert found["a"] == (False, (False,))
    if inner:
        assert found["r"] == (False, (False,))


def test_propagate_down_false_in_a_layer_without_parameters() -> None:
    """Caffe runs it, for its top is asked for, but it makes no diff."""
    found = flow(
        DATA + ip("a", "x") + relu("r", "a", "propagate_down: false") + ip("b", "r") + LOSS % "b"
    )
    assert found["b"] == (True, (True,))
    assert found["r"] == (True, (False,))
    assert found["a"] == (False, (False,))


def test_propagate_down_true_asks_for_the_diff_of_data() -> None:
    found = flow(DATA + ip("a", "x", "propagate_down: true") + LOSS % "a")
    assert found["a"] == (True, (True,))


def test_propagate_down_per_bottom() -> None:
    text = (
        DATA
        + ip("a", "x")
        + ip("b", "x")
        + 'layer { name: "s" type: "Eltwise" bottom: "a" bottom: "b" top: "s" '
        + "propagate_down: true propagate_down: false }\n"
        + LOSS % "s"
    )
    found = flow(text)
    assert found["s"] == (True, (True, False))
    assert found["a"][0] and not found["b"][0]


@pytest.mark.parametrize("count", [1, 3])
def test_propagate_down_is_given_for_all_bottoms_or_none(count: int) -> None:
    down = "propagate_down: true " * count
    error = refusal(
        DATA + f'layer {{ name: "s" type: "Eltwise" bottom: "x" bottom: "x" top: "s" {down} }}'
    )
    assert error.message == f"{count} propagate_down values for 2 bottom(s)"


def test_force_backward_is_for_all_but_labels() -> None:
    found = flow("force_backward: true\n" + DATA + relu("r", "x") + LOSS % "r")
    assert found == {"r": (True, (True,)), "loss": (True, (True, False))}


def test_force_backward_overrides_propagate_down() -> None:
    found = flow("force_backward: true\n" + DATA + relu("r", "x", "propagate_down: false"))
    assert found["r"] == (True, (True,))


def test_force_backward_is_for_frozen_parameters_too() -> None:
    """Caffe: set_param_propagate_down(i, true) for every parameter."""
    text = DATA + ip("a", "x", FROZEN) + LOSS % "a"
    assert not lowered(text).variables["a/0"].learns
    forced = lowered("force_backward: true\n" + text)
    assert forced.variables["a/0"].learns
    assert forced.variables["a/0"].lr_mult == 0
    statistics = 'layer { name: "n" type: "BatchNorm" bottom: "x" top: "n" }'
    assert not lowered("force_backward: true\n" + DATA + statistics).variables["n/0"].learns


def test_gradients_agree_with_the_flags() -> None:
    """What stops in the graph is what the flags say."""
    text = DATA + ip("a", "x") + ip("b", "a", "propagate_down: false") + LOSS % "b"
    run = LayerRun(LayerCase("InnerProduct", "pruned", text))
    assert not layer_named(run.program, "a").needs_backward
    assert layer_named(run.program, "b").needs_backward
    assert run.gradients({"loss": np.array(1.0)}).keys() == {"b/0", "b/1"}
