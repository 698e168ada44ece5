"""MyCaffe's own LSTM layers against plain loops; their states between batches; what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.memory.fillers import fill
from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import Arrays, LayerRun
from tests.support.refusals import check_refusal

HIDDEN = 3


def layer(kind: str, bottoms: str = "", param: str = "") -> str:
    block = {"LstmSimple": "lstm_simple_param", "LstmAttention": "lstm_attention_param"}[kind]
    return (
        f'layer {{ name: "l" type: "{kind}" bottom: "x" {bottoms} top: "y" '
        f"{block} {{ num_output: {HIDDEN} {param} }} }}"
    )


def lowered(text: str, **shapes: tuple[int, ...]) -> LayerRun:
    return LayerRun(LayerCase("", "net", net_text(text, **shapes)))


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-a))


class Plain:
    """An LSTM, step by step, and back.

    Forward takes x [T, N, I] and marks [T, N]; backward the diff of h, each element of the diff
    of the gates being brought into [-limit, limit].
    """

    def __init__(self, v: Arrays) -> None:
        self.weights, self.recurrent, self.bias = (v[f"l/{i}"] for i in range(3))

    def forward(
        self, x: np.ndarray, marks: np.ndarray, h: np.ndarray, c: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        hs, cs, self.kept = [], [], []
        for now, mark in zip(x, marks, strict=True):
            m = mark[:, None]
            sums = now @ self.weights.T + self.bias + m * (h @ self.recurrent.T)
            i, f, o, g = np.split(sums, 4, axis=1)
            i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
            old, c = c, m * f * c + i * g
            h = o * np.tanh(c)
            self.kept.append((m, i, f, o, g, old, c))
            hs.append(h)
            cs.append(c)
        return np.stack(hs), np.stack(cs)

    def backward(self, diff: np.ndarray, limit: float) -> np.ndarray:
        """The diff of the sums, [T, N, 4 H]."""
        found = []
        dh = dc = np.zeros(diff.shape[1:])
        for top, (m, i, f, o, g, old, c) in zip(diff[::-1], self.kept[::-1], strict=True):
            dh = dh + top
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            parts = (
                dc * g * i * (1 - i),
                m * dc * old * f * (1 - f),
                dh * np.tanh(c) * o * (1 - o),
                dc * i * (1 - g**2),
            )
            sums = np.clip(np.concatenate(parts, axis=1), -limit, limit)
            found.append(sums)
            dh, dc = m * (sums @ self.recurrent), m * dc * f
        return np.stack(found[::-1])


@pytest.mark.parametrize("limit", [0.0, 0.02])
@pytest.mark.parametrize("streams", [1, 3])
def test_lstm_simple_equals_a_plain_loop(streams: int, limit: float) -> None:
    steps = 4
    run = lowered(
        layer("LstmSimple", 'bottom: "clip"', f"batch_size: {streams} clipping_threshold: {limit}"),
        x=(steps * streams, 2, 2),
        clip=(steps * streams, 1),
    )
    v = run.values
    marks = np.ones((steps, streams))
    marks[0, 0] = marks[2, streams - 1] = 0.0
    v["clip"] = marks.reshape(-1, 1)
    plain = Plain(v)
    h, c = plain.forward(v["x"].reshape(steps, streams, 4), marks, v["l/@h"], v["l/@c"])
    found = run.forward()
    np.testing.assert_allclose(found["y"], h.reshape(-1, HIDDEN), rtol=1e-12)
    np.testing.assert_allclose(found["l/@h"], h[-1], rtol=1e-12)
    np.testing.assert_allclose(found["l/@c"], c[-1], rtol=1e-12)
    diff = np.random.default_rng(5).normal(size=h.shape)
    sums = plain.backward(diff, limit or np.inf).reshape(-1, 4 * HIDDEN)
    if limit:
        assert 0.1 < (np.abs(sums) == limit).mean() < 0.9
    gradients = run.gradients({"y": diff.reshape(-1, HIDDEN)})
    rows = v["x"].reshape(-1, 4)
    np.testing.assert_allclose(gradients["x"].reshape(-1, 4), sums @ v["l/0"], rtol=1e-9)
    np.testing.assert_allclose(gradients["l/0"], sums.T @ rows, rtol=1e-9)
    np.testing.assert_allclose(gradients["l/2"], sums.sum(0), rtol=1e-9)
    before = np.concatenate([v["l/@h"][None], h[:-1]]) * marks[..., None]
    np.testing.assert_allclose(gradients["l/1"], sums.T @ before.reshape(-1, HIDDEN), rtol=1e-9)


@pytest.mark.parametrize("kind", ["LstmSimple", "LstmAttention"])
def test_without_marks_each_batch_begins_anew(kind: str) -> None:
    run = lowered(layer(kind), x=(5, 1, 2))
    assert not [name for name in run.values if "@" in name]
    zero = np.zeros((1, HIDDEN))
    h, _ = Plain(run.values).forward(run.values["x"], np.ones((5, 1)), zero, zero)
    np.testing.assert_allclose(run.forward()["y"].reshape(h.shape), h, rtol=1e-12)


@pytest.mark.parametrize(
    "marks, runs, reads",
    [
        ([[0, 0], [1, 1], [1, 1], [1, 1]], 4, False),
        ([[1, 1], [1, 1], [1, 0], [1, 1]], 4, True),
        ([[0, 1], [1, 0], [0, 0], [0, 0]], 2, False),  # two sequences that are filled up
        ([[1, 0], [1, 1], [0, 1], [0, 0]], 2, True),
        ([[0, 0], [0, 0], [0, 0], [0, 0]], 1, False),
        ([[0, 1], [1, 1], [1, 1], [1, 1]], 4, False),  # as many as there are, and no more
    ],
)
def test_lstm_attention_runs_as_many_steps_as_the_longest_sequence_has(
    marks: list[list[int]], runs: int, reads: bool
) -> None:
    run = lowered(layer("LstmAttention", 'bottom: "clip"'), x=(4, 2, 3), clip=(4, 2))
    v = run.values
    v["clip"] = clip = np.array(marks, np.float64)
    h, c = Plain(v).forward(v["x"], clip, v["l/@h"] * reads, v["l/@c"] * reads)
    found = run.forward()
    np.testing.assert_allclose(found["y"][:runs], h[:runs], rtol=1e-12)
    assert not found["y"][runs:].any()
    np.testing.assert_allclose(found["l/@h"], h[runs - 1], rtol=1e-12)
    np.testing.assert_allclose(found["l/@c"], c[runs - 1], rtol=1e-12)
    gradient = run.gradients({"y": np.ones(h.shape)})["x"]
    assert gradient[:runs].all()
    assert not gradient[runs:].any()


def test_lstm_attention_may_end_in_a_product() -> None:
    text = layer("LstmAttention", "", "num_output_ip: 4")
    run, inner = lowered(text, x=(3, 2, 2)), lowered(layer("LstmAttention"), x=(3, 2, 2))
    v = run.values
    inner.values.update({name: v[name] for name in inner.values})
    expected = inner.forward()["y"] @ v["l/3"] + v["l/4"]
    assert v["l/3"].shape == (HIDDEN, 4)
    assert v["l/4"].shape == (1, 4)
    np.testing.assert_allclose(run.forward()["y"], expected, rtol=1e-12)


def test_blobs_and_how_they_start() -> None:
    text = layer("LstmSimple", "", "enable_clockwork_forgetgate_bias: true")
    weights, recurrent, bias = lowered(text, x=(4, 2)).program.parameters
    shapes = [variable.type.shape for variable in (weights, recurrent, bias)]
    assert shapes == [(12, 2), (12, HIDDEN), (12,)]
    assert weights.filler.kind == recurrent.filler.kind == "xavier"
    start = fill(bias.filler, (12,), np.random.default_rng(0))
    np.testing.assert_allclose(start, [0.1] * 3 + [5.0] * 3 + [0.1] * 6)
    _, _, bias = lowered(layer("LstmAttention"), x=(4, 1, 2)).program.parameters
    assert (bias.filler.kind, bias.filler.value) == ("constant", 0.1)


@pytest.mark.parametrize(
    "kind, body, inputs, said, place",
    [
        ("LstmSimple", "", {"x": (4, 2)}, "num_output is missing or 0", "lstm_simple_param"),
        (
            "LstmSimple",
            "num_output: 3 batch_size: 3",
            {"x": (4, 2)},
            "'x' has shape [4, 2]; the first extent must be a multiple of batch_size 3",
            "batch_size: 3",
        ),
        ("LstmSimple", "num_output: 3 batch_size: 0", {"x": (4,)}, "is 0", "batch_size: 0"),
        (
            "LstmSimple",
            "num_output: 3",
            {"x": (4, 2), "clip": (3, 1)},
            "'clip' has shape [3, 1]; [4, 1] is expected",
            'bottom: "clip"',
        ),
        (
            "LstmAttention",
            "num_output: 3 enable_attention: true",
            {"x": (4, 1, 2), "clip": (4, 1), "e": (4, 1, 2), "f": (4, 1)},
            "enable_attention: true is not implemented",
            "enable_attention: true",
        ),
        (
            "LstmAttention",
            "num_output: 3",
            {"x": (4, 1, 2), "clip": (4, 1), "e": (4, 1, 2)},
            "3 bottoms; without attention",
            'bottom: "e"',
        ),
        ("LstmAttention", "num_output: 3", {"x": (4,)}, "[steps, streams, ...]", 'bottom: "x"'),
    ],
)
def test_refuses(
    kind: str, body: str, inputs: dict[str, tuple[int, ...]], said: str, place: str
) -> None:
    block = {"LstmSimple": "lstm_simple_param", "LstmAttention": "lstm_attention_param"}[kind]
    check_refusal(kind, f"{block} {{ {body} }}", inputs, said, place)
