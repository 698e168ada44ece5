"""LSTM and RNN against a plain loop; states between batches; what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from frontends.lowering.known_layers import load_layers
from frontends.lowering.net import lower_layers
from frontends.prototxt import parse_text
from ir.errors import RoasteryError
from ir.op import Property
from ir.ops.loop import StepLoop
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import Arrays, LayerRun

STEPS, STREAMS, WIDE, HIDDEN = 4, 3, 2, 5


def layer(kind: str, bottoms: str = "", tops: str = "", param: str = "") -> str:
    return (
        f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "cont" {bottoms} top: "y" {tops} '
        f"recurrent_param {{ num_output: {HIDDEN} {param} }} }}"
    )


def lowered(text: str, steps: int = STEPS, **more: tuple[int, ...]) -> LayerRun:
    shapes = {"x": (steps, STREAMS, WIDE), "cont": (steps, STREAMS), **more}
    return LayerRun(LayerCase("", "net", net_text(text, **shapes)))


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-a))


def plain(kind: str, v: Arrays, h: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, ...]:
    """Outputs of all steps and the last states, step by step as Caffe's unrolled net."""
    blobs = [
        v[f"l/{i}"] for i in range(sum(name.startswith("l/") for name in v) + 1) if f"l/{i}" in v
    ]
    outputs = []
    for x, cont in zip(v["x"], v["cont"], strict=True):
        m = cont[:, None]
        if kind == "LSTM":
            w, bias, recurrent = blobs
            i, f, o, g = np.split(x @ w.T + bias + (m * h) @ recurrent.T, 4, axis=1)
            c = m * sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        else:
            w, bias, recurrent, out, out_bias = blobs
            h = np.tanh(x @ w.T + bias + (m * h) @ recurrent.T)
            outputs.append(np.tanh(h @ out.T + out_bias))
    return np.stack(outputs), h, c


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_equals_a_plain_loop(kind: str) -> None:
    run = lowered(layer(kind))
    v = run.values
    v["cont"] = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 0.5]])
    h = v["l/@h"][0]
    c = v["l/@c"][0] if kind == "LSTM" else h
    outputs, h, c = plain(kind, v, h, c)
    found = run.forward()
    np.testing.assert_allclose(found["y"], outputs, rtol=1e-12)
    np.testing.assert_allclose(found["l/@h"], h[None], rtol=1e-12)
    if kind == "LSTM":
        np.testing.assert_allclose(found["l/@c"], c[None], rtol=1e-12)


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_two_short_batches_equal_one_long(kind: str) -> None:
    whole, half = lowered(layer(kind)), lowered(layer(kind), STEPS // 2)
    states = [name for name in whole.values if "@" in name]
    assert len(states) == (2 if kind == "LSTM" else 1)
    for name in states:
        whole.values[name] = np.zeros_like(whole.values[name])
        assert whole.program.variables[name].index == -1  # not saved with the weights
    expected = whole.forward()["y"]
    values = dict(whole.values)
    parts = []
    for start in (0, STEPS // 2):
        for name in ("x", "cont"):
            values[name] = whole.values[name][start : start + STEPS // 2]
        result = half.forward(values)
        parts.append(result["y"])
        values.update({name: result[name] for name in states})
    np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-12)


def test_exposed_states_are_bottoms_and_tops() -> None:
    inner, state = lowered(layer("LSTM")), (1, STREAMS, HIDDEN)
    text = layer("LSTM", 'bottom: "h0" bottom: "c0"', 'top: "hT" top: "cT"', "expose_hidden: true")
    outer = lowered(text, h0=state, c0=state)
    assert not [name for name in outer.values if "@" in name]
    for name in inner.values:
        renamed = {"l/@h": "h0", "l/@c": "c0"}.get(name, name)
        outer.values[renamed] = inner.values[name]
    expected, found = inner.forward(), outer.forward()
    for mine, theirs in (("y", "y"), ("hT", "l/@h"), ("cT", "l/@c")):
        np.testing.assert_array_equal(found[mine], expected[theirs])
    seeds = {name: np.ones(state) for name in ("hT", "cT")}
    for gradient in outer.gradients(seeds).values():
        assert not gradient.any()  # as in Caffe


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_a_static_input_is_added_to_every_step(kind: str) -> None:
    run = lowered(layer(kind, 'bottom: "s"'), s=(STREAMS, 2, 2))
    shapes = {c.name: c.type.shape for c in run.program.parameters}
    rows = 4 * HIDDEN if kind == "LSTM" else HIDDEN
    more = [] if kind == "LSTM" else [(HIDDEN, HIDDEN), (HIDDEN,)]
    expected_shapes = [(rows, WIDE), (rows,), (rows, 4), (rows, HIDDEN), *more]
    assert shapes == {f"l/{i}": s for i, s in enumerate(expected_shapes)}
    v = run.values
    fixed = v["s"].reshape(STREAMS, 4) @ v["l/2"].T
    # The same net without static input, its bias moved, for one stream at a time.
    for stream in range(STREAMS):
        part = {
            "x": v["x"][:, [stream]],
            "cont": v["cont"][:, [stream]],
            "l/0": v["l/0"],
            "l/1": v["l/1"] + fixed[stream],
            **{f"l/{i - 1}": v[f"l/{i}"] for i in range(3, len(shapes))},
        }
        h = v["l/@h"][0, [stream]]
        c = v["l/@c"][0, [stream]] if kind == "LSTM" else h
        expected, _, _ = plain(kind, part, h, c)
        np.testing.assert_allclose(run.forward()["y"][:, [stream]], expected, rtol=1e-10)


def test_more_steps_are_no_more_nodes() -> None:
    def counts(steps: int) -> tuple[int, int]:
        graph = lowered(layer("LSTM"), steps).program.graph
        (loop,) = (node.op for node in graph.nodes if isinstance(node.op, StepLoop))
        assert loop.steps == steps
        nodes = (*graph.nodes, *loop.body.nodes)
        return (
            sum(Property.CONTRACTION in n.op.properties for n in nodes),
            sum(Property.POINTWISE in n.op.properties for n in nodes),
        )

    # Of all steps the projection and its bias; of one the product, its sum, the cell, the state.
    assert counts(3) == counts(13) == (2, 4)


@pytest.mark.parametrize(
    ("text", "shapes", "message"),
    [
        (layer("LSTM", 'bottom: "a" bottom: "b"'), {"a": (3, 1), "b": (3, 1)},
         "4 bottoms; LSTM takes 2 or 3"),
        (layer("RNN", "", 'top: "h"'), {}, "2 tops; RNN makes 1"),
        (layer("RNN", 'bottom: "h"', 'top: "hT"', "expose_hidden: true"), {"h": (1, 3, 4)},
         "'h' has shape [1, 3, 4]; [1, 3, 5] is expected"),
        (layer("LSTM").replace("num_output: 5", ""), {}, "num_output is missing or 0"),
        (layer("LSTM"), {"cont": (4, 2)}, "'cont' has shape [4, 2]; [4, 3] is expected"),
        (layer("LSTM"), {"x": (4, 3)}, "steps, streams and at least one more axis"),
        (layer("LSTM", 'bottom: "s"'), {"s": (2, 4)}, "[3, ...] is expected: a row per stream"),
        ('layer { name: "l" type: "LSTMUnit" bottom: "x" bottom: "g" bottom: "cont" top: "c" '
         'top: "h" }', {"x": (1, 3, 5), "g": (1, 3, 10), "cont": (1, 3)},
         "'g' has shape [1, 3, 10]; the cell [1, 3, 5] needs [1, 3, 20]"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, shapes: dict[str, tuple[int, ...]], message: str) -> None:
    load_layers()
    inputs = {"x": (4, 3, 2), "cont": (4, 3), **shapes}
    with pytest.raises(RoasteryError) as caught:
        lower_layers(parse_text(net_text(text, **inputs), "NetParameter", "net.prototxt"), "TRAIN")
    assert message in str(caught.value)
    assert "(layer 'l')" in str(caught.value)
