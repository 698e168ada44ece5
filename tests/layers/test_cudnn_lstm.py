"""MyCaffe's LSTM in the form of cuDNN against plain loops, and what else MyCaffe says of LSTMs."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.memory.fillers import fill
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun
from tests.support.refusals import check_refusal

STEPS, STREAMS, WIDE, HIDDEN = 4, 2, 3, 5


def layer(param: str, bottoms: str = "", tops: str = "", kind: str = "LSTM") -> str:
    return (
        f'layer {{ name: "l" type: "{kind}" bottom: "x" bottom: "cont" {bottoms} top: "y" {tops} '
        f"recurrent_param {{ num_output: {HIDDEN} {param} }} }}"
    )


def lowered(text: str, phase: str = "TRAIN", **more: tuple[int, ...]) -> LayerRun:
    shapes = {"x": (STEPS, STREAMS, WIDE), "cont": (STEPS, STREAMS), **more}
    return LayerRun(LayerCase("", "net", net_text(text, **shapes), phase))


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-a))


def plain(
    x: np.ndarray, blob: np.ndarray, h: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Layer by layer, step by step, gate by gate; h and c: [layers, N, H]."""
    layers, at = len(h), 0
    flat = blob.ravel()

    def take(*shape: int) -> np.ndarray:
        nonlocal at
        part = flat[at : at + int(np.prod(shape))].reshape(shape)
        at += part.size
        return part

    weights = []
    for n in range(layers):
        inner = HIDDEN if n else x.shape[2]
        weights.append([[take(HIDDEN, wide) for _ in range(4)] for wide in (inner, HIDDEN)])
    biases = [[[take(HIDDEN) for _ in range(4)] for _ in range(2)] for _ in range(layers)]
    assert at == flat.size
    ends_h, ends_c = [], []
    for n in range(layers):
        outputs, state, cell = [], h[n], c[n]
        for now in x:
            i, f, g, o = (
                now @ weights[n][0][k].T
                + state @ weights[n][1][k].T
                + biases[n][0][k]
                + biases[n][1][k]
                for k in range(4)
            )
            cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
            state = sigmoid(o) * np.tanh(cell)
            outputs.append(state)
        x = np.stack(outputs)
        ends_h.append(state)
        ends_c.append(cell)
    return x, np.stack(ends_h), np.stack(ends_c)


@pytest.mark.parametrize("first", [0.0, 1.0])
@pytest.mark.parametrize("layers", [1, 3])
def test_only_the_first_mark_counts(layers: int, first: float) -> None:
    """dropout_ratio drops nothing in phase TEST."""
    text = layer(f"engine: CUDNN num_layers: {layers} dropout_ratio: 0.5")
    run = lowered(text, "TEST")
    v = run.values
    v["cont"] = np.zeros((STEPS, STREAMS))
    v["cont"][0, 0] = first
    assert v["l/@h"].shape == (layers, STREAMS, HIDDEN)
    y, h, c = plain(v["x"], v["l/0"], v["l/@h"] * first, v["l/@c"] * first)
    found = run.forward()
    np.testing.assert_allclose(found["y"], y[..., None], rtol=1e-12)
    np.testing.assert_allclose(found["l/@h"], h, rtol=1e-12)
    np.testing.assert_allclose(found["l/@c"], c, rtol=1e-12)


def test_states_that_are_given_and_handed_out() -> None:
    state = (2, STREAMS, HIDDEN, 1)
    text = layer(
        "engine: CUDNN num_layers: 2 expose_hidden: true",
        'bottom: "h0" bottom: "c0"',
        'top: "hT" top: "cT"',
    )
    run = lowered(text, h0=state, c0=state)
    v = run.values
    assert not [name for name in v if "@" in name]
    y, h, c = plain(v["x"], v["l/0"], v["h0"][..., 0], v["c0"][..., 0])
    found = run.forward()
    for name, expected in (("y", y), ("hT", h), ("cT", c)):
        np.testing.assert_allclose(found[name], expected[..., None], rtol=1e-12)


def test_dropout_is_between_layers() -> None:
    """Of one layer nothing is dropped; of two, what is dropped depends on the random state."""
    one, two = (lowered(layer(f"engine: CUDNN num_layers: {n} dropout_ratio: 0.5")) for n in (1, 2))
    still = lowered(layer("engine: CUDNN num_layers: 2"))
    y, *_ = plain(one.values["x"], one.values["l/0"], *(one.values[f"l/@{s}"] for s in "hc"))
    one.values["cont"] = np.ones((STEPS, STREAMS))
    np.testing.assert_allclose(one.forward()["y"][..., 0], y, rtol=1e-12)
    two.values.update(still.values)
    assert np.abs(two.forward()["y"] - still.forward()["y"]).max() > 1e-3


def test_streams_may_come_first() -> None:
    for param in ("engine: CUDNN num_layers: 2", ""):
        run = lowered(layer(param))
        other = lowered(
            layer(param + " batch_first: true"), x=(STREAMS, STEPS, WIDE), cont=(STREAMS, STEPS)
        )
        for name, value in run.values.items():
            turned = name in ("x", "cont")
            other.values[name] = value.swapaxes(0, 1) if turned else value
        found = other.forward()["y"]
        np.testing.assert_allclose(found.swapaxes(0, 1), run.forward()["y"], rtol=1e-12)


def test_states_may_be_given_or_handed_out_alone() -> None:
    """MyCaffe says of each side what expose_hidden says of both."""
    state, inner = (1, STREAMS, HIDDEN), lowered(layer(""))
    given = lowered(
        layer("expose_hidden_input: true", 'bottom: "h0" bottom: "c0"'), h0=state, c0=state
    )
    handed = lowered(layer("expose_hidden_output: true", "", 'top: "hT" top: "cT"'))
    for name, value in inner.values.items():
        given.values[{"l/@h": "h0", "l/@c": "c0"}.get(name, name)] = value
        handed.values[name] = value
    expected, found = inner.forward(), handed.forward()
    np.testing.assert_array_equal(given.forward()["y"], expected["y"])
    for mine, theirs in (("y", "y"), ("hT", "l/@h"), ("cT", "l/@c"), ("l/@h", "l/@h")):
        np.testing.assert_array_equal(found[mine], expected[theirs])


def test_how_the_blob_starts() -> None:
    fillers = (
        'weight_filler { type: "uniform" min: 2 max: 3 } bias_filler { type: "constant" value: 7 }'
    )
    run = lowered(layer(f"engine: CUDNN num_layers: 2 {fillers}"))
    (blob,) = run.program.parameters
    weights = 4 * HIDDEN * (WIDE + HIDDEN + HIDDEN + HIDDEN)
    assert blob.type.shape == (weights + 4 * 4 * HIDDEN, 1, 1)
    start = fill(blob.filler, blob.type.shape, np.random.default_rng(0)).ravel()
    assert 2.0 <= start[:weights].min() < start[:weights].max() <= 3.0
    assert (start[weights:] == 7.0).all()


@pytest.mark.parametrize(
    "kind, param, inputs, said, place",
    [
        ("LSTM", "engine: CUDNN", {}, "num_output is missing or 0", "recurrent_param"),
        ("LSTM", "num_output: 2 engine: CUDNN num_layers: 0", {}, "num_layers is 0", "num_layers"),
        (
            "LSTM",
            "num_output: 2 engine: CUDNN dropout_ratio: 1",
            {},
            "dropout_ratio 1 is not a share",
            "dropout_ratio",
        ),
        (
            "LSTM",
            "num_output: 2 engine: CUDNN",
            {"s": (2, 3)},
            "3 bottoms; LSTM takes 2",
            "bottom",
        ),
        (
            "LSTM",
            "num_output: 2 engine: CUDNN expose_hidden_input: true",
            {"h": (1, 2, 2, 1), "c": (2, 2, 2, 1)},
            "'c' has shape [2, 2, 2, 1]; [1, 2, 2, 1] is expected",
            'bottom: "c"',
        ),
        ("LSTM", "num_output: 2 engine: CUDNN bidirectional: true", {}, "bidirectional", "bidir"),
        ("RNN", "num_output: 2 engine: CUDNN", {}, "rectifies its states", "engine: CUDNN"),
    ],
)
def test_refuses(
    kind: str, param: str, inputs: dict[str, tuple[int, ...]], said: str, place: str
) -> None:
    inputs = {"x": (4, 2, 3), "cont": (4, 2), **inputs}
    check_refusal(kind, f"recurrent_param {{ {param} }}", inputs, said, place)
