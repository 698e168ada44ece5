"""Element-wise layers against their formulas, and their gradients where functions have corners."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun

POINTS = np.array([-90.0, -3.0, -1.0, -0.5, -1e-4, 0.0, 1e-4, 0.5, 1.0, 2.0, 6.0, 90.0])
INNER = POINTS[np.abs(POINTS) < 50]


def run(kind: str, body: str, **bottoms: np.ndarray) -> LayerRun:
    names = " ".join(f'bottom: "{name}"' for name in bottoms)
    layer = f'layer {{ name: "l" type: "{kind}" {names} top: "y" {body} }}'
    net = net_text(layer, **{name: np.shape(a) for name, a in bottoms.items()})
    fills = {name: (lambda rng, a=a: a) for name, a in bottoms.items()}
    return LayerRun(LayerCase(kind, kind + body, net, "TEST", fills))


def sigmoid(x):
    return np.exp(-np.logaddexp(0.0, -x))


FORMULAS = [
    # layer, parameters, points, value, derivative (Caffe's at corners)
    ("ReLU", "", POINTS, lambda x: np.maximum(x, 0), lambda x: x > 0),
    (
        "ReLU",
        "relu_param { negative_slope: 0.25 }",
        POINTS,
        lambda x: np.where(x > 0, x, x / 4),
        lambda x: np.where(x > 0, 1, 0.25),
    ),
    (
        "ReLU6",
        "",
        POINTS,
        lambda x: np.clip(x, 0, 6),
        lambda x: (x > 0) & (x < 6),
    ),
    (
        "ELU",
        "elu_param { alpha: 0.5 }",
        POINTS,
        lambda x: np.where(x > 0, x, 0.5 * np.expm1(np.minimum(x, 0))),
        lambda x: np.where(x > 0, 1, 0.5 * np.exp(np.minimum(x, 0))),
    ),
    ("Sigmoid", "", POINTS, sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    ("TanH", "", POINTS, np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    ("AbsVal", "", POINTS, np.abs, np.sign),
    ("BNLL", "", POINTS, lambda x: np.logaddexp(0, x), sigmoid),
    (
        "Swish",
        "swish_param { beta: 2 }",
        POINTS,
        lambda x: x * sigmoid(2 * x),
        lambda x: sigmoid(2 * x) + 2 * x * sigmoid(2 * x) * sigmoid(-2 * x),
    ),
    (
        "Clip",
        "clip_param { min: -1 max: 2 }",
        POINTS,
        lambda x: np.clip(x, -1, 2),
        lambda x: (x >= -1) & (x <= 2),
    ),
    (
        "Power",
        "power_param { power: 3 scale: 2 shift: -1 }",
        INNER,
        lambda x: (2 * x - 1) ** 3,
        lambda x: 6 * (2 * x - 1) ** 2,
    ),
    (
        "Power",
        "power_param { power: 2 scale: 2 shift: -1 }",
        POINTS,
        lambda x: (2 * x - 1) ** 2,
        lambda x: 4 * (2 * x - 1),
    ),
    (
        "Power",
        "power_param { power: -1 shift: 100 }",
        POINTS,
        lambda x: 1 / (x + 100),
        lambda x: -1 / (x + 100) ** 2,
    ),
    (
        "Power",
        "power_param { power: 2 scale: 0 shift: 3 }",
        POINTS,
        lambda x: np.full(x.shape, 9.0),
        None,
    ),
    ("Power", "power_param { power: 0 }", POINTS, np.ones_like, None),
    (
        "Exp",
        "exp_param { base: 2 scale: 3 shift: -1 }",
        INNER,
        lambda x: 2 ** (3 * x - 1),
        lambda x: 3 * np.log(2) * 2 ** (3 * x - 1),
    ),
    (
        "Exp",
        "exp_param { shift: 0.5 }",
        INNER,
        lambda x: np.exp(x + 0.5),
        lambda x: np.exp(x + 0.5),
    ),
    (
        "Log",
        "log_param { base: 10 scale: 2 shift: 200 }",
        POINTS,
        lambda x: np.log10(2 * x + 200),
        lambda x: 2 / (2 * x + 200) / np.log(10),
    ),
    ("Threshold", "threshold_param { threshold: 0.5 }", POINTS, lambda x: x > 0.5, None),
]


@pytest.mark.parametrize(
    ("kind", "body", "points", "value", "derivative"),
    FORMULAS,
    ids=[f"{c[0]}-{i}" for i, c in enumerate(FORMULAS)],
)
def test_value_and_derivative(kind, body, points, value, derivative) -> None:
    r = run(kind, body, x=points)
    np.testing.assert_allclose(r.forward()["y"], value(points), rtol=2e-6, atol=1e-12)
    got = r.gradients({"y": np.full(points.shape, 2.0)})
    if derivative is None:
        assert "x" not in got or not got["x"].any()
    else:
        np.testing.assert_allclose(got["x"], 2.0 * derivative(points), rtol=2e-6, atol=1e-12)


@pytest.mark.parametrize("kind", ["BNLL", "ELU", "Sigmoid", "Swish", "TanH"])
def test_no_overflow_in_single_precision(kind: str) -> None:
    r = run(kind, "", x=np.array([-1e30, -100.0, 100.0, 1e30]))
    values = {"x": r.values["x"].astype(np.float32)}
    assert np.isfinite(r.forward(values)["y"]).all()
    gradient = r.gradients({"y": np.ones(4, np.float32)}, values)["x"]
    assert np.isfinite(gradient).all()


def test_prelu_slope_gradient_counts_what_is_not_positive() -> None:
    x = np.array([[-2.0, 0.0, 3.0], [-1.0, -4.0, 5.0]])
    r = run("PReLU", "", x=x)
    slope = r.values["l/0"]
    np.testing.assert_allclose(r.forward()["y"], np.where(x > 0, x, x * slope))
    got = r.gradients({"y": np.ones(x.shape)})
    np.testing.assert_allclose(got["l/0"], np.minimum(x, 0).sum(axis=0))
    np.testing.assert_allclose(got["x"], np.where(x > 0, 1.0, slope))


class TestEltwise:
    A = np.array([1.0, 2.0, 0.0, 5.0])
    B = np.array([1.0, 1.0, 0.0, 7.0])
    C = np.array([1.0, 2.0, 3.0, 7.0])

    def gradients(self, body: str, **bottoms: np.ndarray) -> dict[str, np.ndarray]:
        return run("Eltwise", f"eltwise_param {{ {body} }}", **bottoms).gradients({"y": np.ones(4)})

    def test_weighted_sum(self) -> None:
        body = "coeff: 0.5 coeff: -1 coeff: 3"
        r = run("Eltwise", f"eltwise_param {{ {body} }}", a=self.A, b=self.B, c=self.C)
        np.testing.assert_allclose(r.forward()["y"], 0.5 * self.A - self.B + 3 * self.C)
        got = self.gradients(body, a=self.A, b=self.B, c=self.C)
        assert [got[n][0] for n in "abc"] == [0.5, -1.0, 3.0]

    @pytest.mark.parametrize("stable", ["true", "false"])
    def test_gradient_of_a_product_is_right_at_zeros(self, stable: str) -> None:
        body = f"operation: PROD stable_prod_grad: {stable}"
        got = self.gradients(body, a=self.A, b=self.B, c=self.C)
        np.testing.assert_allclose(got["a"], self.B * self.C)
        np.testing.assert_allclose(got["b"], self.A * self.C)
        np.testing.assert_allclose(got["c"], self.A * self.B)

    def test_of_two_equal_maxima_the_second_gets_the_gradient(self) -> None:
        got = self.gradients("operation: MAX", a=self.A, b=self.B)
        np.testing.assert_array_equal(got["a"], [0, 1, 0, 0])
        np.testing.assert_array_equal(got["b"], [1, 0, 1, 1])

    def test_a_maximum_ignores_coefficients(self) -> None:
        body = "eltwise_param { operation: MAX coeff: 2 coeff: -1 }"
        y = run("Eltwise", body, a=self.A, b=self.B).forward()["y"]
        np.testing.assert_array_equal(y, np.maximum(self.A, self.B))

    def test_a_third_equal_maximum_does_not(self) -> None:
        got = self.gradients("operation: MAX", a=self.A, b=self.B, c=self.C)
        np.testing.assert_array_equal(got["a"], [0, 1, 0, 0])
        np.testing.assert_array_equal(got["b"], [1, 0, 0, 1])
        np.testing.assert_array_equal(got["c"], [0, 0, 1, 0])

    @pytest.mark.parametrize(
        ("operation", "expected"),
        [
            ("SUM", np.add),
            ("PROD", np.multiply),
            ("DIV", np.divide),
            ("MAX", np.maximum),
            ("MIN", np.minimum),
        ],
    )
    @pytest.mark.parametrize(
        ("axis", "shape"), [(0, ()), (0, (2,)), (1, (3, 4)), (-1, (5,)), (-3, (3,))]
    )
    def test_the_second_bottom_may_have_some_axes(
        self, operation: str, expected: np.ufunc, axis: int, shape: tuple[int, ...]
    ) -> None:
        rng = np.random.default_rng(4)
        a, b = rng.integers(1, 4, (2, 3, 4, 5)) * 1.0, rng.integers(1, 4, shape) * 1.0
        body = f"eltwise_param {{ operation: {operation} axis: {axis} }}"
        first = axis % 4
        spread = b.reshape((1,) * first + b.shape + (1,) * (4 - first - b.ndim))
        np.testing.assert_array_equal(
            run("Eltwise", body, a=a, b=b).forward()["y"], expected(a, spread)
        )

    def test_of_equal_minima_one_that_is_found_first_gets_the_gradient(self) -> None:
        got = self.gradients("operation: MIN", a=self.A, b=self.B, c=self.C)
        np.testing.assert_array_equal(got["a"], [0, 0, 0, 1])
        np.testing.assert_array_equal(got["b"], [1, 1, 1, 0])
        np.testing.assert_array_equal(got["c"], [0, 0, 0, 0])


def test_argmax_prefers_the_last_of_equal_elements() -> None:
    x = np.array([[3.0, 1.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    assert run("ArgMax", "", x=x).forward()["y"].tolist() == [[[2.0]], [[3.0]]]
    y = run("ArgMax", "argmax_param { top_k: 3 out_max_val: true }", x=x).forward()["y"]
    assert y.shape == (2, 2, 3)
    assert y[0].tolist() == [[2.0, 0.0, 3.0], [3.0, 3.0, 2.0]]
    assert y[1].tolist() == [[3.0, 2.0, 1.0], [0.0, 0.0, 0.0]]


def test_argmax_along_an_axis() -> None:
    x = np.array([[3.0, 1.0], [3.0, 2.0], [0.0, 5.0]]).reshape(1, 3, 2)
    index = run("ArgMax", "argmax_param { axis: 1 }", x=x).forward()["y"]
    assert index.tolist() == [[[1.0, 2.0]]]
    value = run("ArgMax", "argmax_param { axis: 1 top_k: 2 out_max_val: true }", x=x).forward()["y"]
    assert value.tolist() == [[[3.0, 5.0], [3.0, 2.0]]]


def test_argmax_keeps_the_number_of_axes() -> None:
    x = np.zeros((2, 3, 4, 5))
    assert run("ArgMax", "", x=x).forward()["y"].shape == (2, 1, 1, 1)


@pytest.mark.parametrize(
    ("operation", "value", "slope"),
    [
        ("SUM", lambda x: x.sum(axis=1), lambda x: np.ones_like(x)),
        ("ASUM", lambda x: np.abs(x).sum(axis=1), np.sign),
        ("SUMSQ", lambda x: (x**2).sum(axis=1), lambda x: 2 * x),
        ("MEAN", lambda x: x.mean(axis=1), lambda x: np.full_like(x, 1 / 6)),
    ],
)
def test_reduction_over_the_tail(operation, value, slope) -> None:
    x = np.array([[1.0, -2.0, 0.0, 4.0, -1.0, 3.0], [0.5, 1.0, -3.0, 2.0, 0.0, -1.0]])
    r = run("Reduction", f"reduction_param {{ operation: {operation} axis: 1 coeff: 2 }}", x=x)
    np.testing.assert_allclose(r.forward()["y"], 2 * value(x))
    np.testing.assert_allclose(r.gradients({"y": np.ones(2)})["x"], 2 * slope(x))


def test_batch_reindex_adds_gradients_of_repeated_rows() -> None:
    x, order = np.arange(6.0).reshape(3, 2), np.array([2.0, 0.0, 2.0])
    r = run("BatchReindex", "", x=x, i=order)
    np.testing.assert_array_equal(r.forward()["y"], x[[2, 0, 2]])
    got = r.gradients({"y": np.arange(1.0, 7.0).reshape(3, 2)})
    np.testing.assert_array_equal(got["x"], [[3, 4], [0, 0], [6, 8]])


def test_shuffle_channel_interleaves_groups() -> None:
    x = np.arange(6.0).reshape(1, 6, 1, 1)
    y = run("ShuffleChannel", "shuffle_channel_param { group: 2 }", x=x).forward()["y"]
    assert y.ravel().tolist() == [0, 3, 1, 4, 2, 5]


def test_permute_appends_the_axes_that_are_not_named() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    y = run("Permute", "permute_param { order: 2 order: 0 }", x=x).forward()["y"]
    np.testing.assert_array_equal(y, x.transpose(2, 0, 1, 3))


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("shape { dim: 0 dim: -1 }", (2, 60)),
        ("axis: 1 shape { dim: 12 dim: 5 }", (2, 12, 5)),
        ("axis: 1 num_axes: 2 shape { dim: 2 dim: 3 dim: 2 }", (2, 2, 3, 2, 5)),
        ("axis: -1 shape { dim: 1 }", (2, 3, 4, 5, 1)),
        ("axis: 1 num_axes: 0 shape { dim: 1 }", (2, 1, 3, 4, 5)),
        ("axis: 2 shape { dim: 0 dim: 0 }", (2, 3, 4, 5)),
    ],
)
def test_reshape(body: str, shape: tuple[int, ...]) -> None:
    x = np.arange(120.0).reshape(2, 3, 4, 5)
    y = run("Reshape", f"reshape_param {{ {body} }}", x=x).forward()["y"]
    np.testing.assert_array_equal(y, x.reshape(shape))


def test_gradient_in_place_reads_the_input_that_was() -> None:
    """Caffe's Power reads its overwritten input there."""
    layers = """
        layer { name: "a" type: "TanH" bottom: "x" top: "y" }
        layer { name: "b" type: "Power" bottom: "y" top: "y" power_param { power: 3 shift: 2 } }
    """
    x = np.array([-1.0, 0.25, 2.0])
    case = LayerCase("Power", "in place", net_text(layers, x=(3,)), "TEST", {"x": lambda rng: x})
    r = LayerRun(case)
    np.testing.assert_allclose(r.forward()["y"], (np.tanh(x) + 2) ** 3)
    expected = 3 * (np.tanh(x) + 2) ** 2 * (1 - np.tanh(x) ** 2)
    np.testing.assert_allclose(r.gradients({"y": np.ones(3)})["x"], expected)
