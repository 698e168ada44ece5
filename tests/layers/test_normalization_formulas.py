"""BatchNorm's statistics, MVN, Normalize, and dropout's random numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.layer_cases import LayerCase, net_text
from tests.support.layer_run import LayerRun


def run(kind: str, body: str, shape: tuple[int, ...], phase: str = "TRAIN", **given) -> LayerRun:
    layer = f'layer {{ name: "l" type: "{kind}" bottom: "x" top: "y" {body} }}'
    fills = {name.replace("_", "/"): (lambda rng, a=a: a) for name, a in given.items()}
    return LayerRun(LayerCase(kind, f"{kind}{body}", net_text(layer, x=shape), phase, fills))


def test_batch_norm_decays_sums_and_adds_the_unbiased_variance() -> None:
    body = "batch_norm_param { moving_average_fraction: 0.75 eps: 0.01 }"
    r = run("BatchNorm", body, (3, 2, 4, 5))
    x, got = r.values["x"], r.forward()
    mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    shape = (1, 2, 1, 1)
    expected = (x - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + 0.01)
    np.testing.assert_allclose(got["y"], expected, rtol=1e-6)
    np.testing.assert_allclose(got["l/0"], 0.75 * r.values["l/0"] + mean)
    np.testing.assert_allclose(got["l/1"], 0.75 * r.values["l/1"] + variance * 60 / 59)
    np.testing.assert_allclose(got["l/2"], 0.75 * r.values["l/2"] + 1.0)


def test_batch_norm_divides_stored_sums_by_their_weight() -> None:
    stored = {"l_0": np.array([4.0, -2.0]), "l_1": np.array([6.0, 1.0]), "l_2": np.array([2.0])}
    r = run("BatchNorm", "", (3, 2, 5), "TEST", **stored)
    x, got = r.values["x"], r.forward()
    mean, variance = np.array([2.0, -1.0]), np.array([3.0, 0.5])
    expected = (x - mean[:, None]) / np.sqrt(variance[:, None] + 1e-5)
    np.testing.assert_allclose(got["y"], expected, rtol=1e-6)
    assert set(got) == {"y"}  # statistics stay as they are


def test_untrained_batch_norm_has_mean_and_variance_zero() -> None:
    zeros = {"l_0": np.zeros(2), "l_1": np.zeros(2), "l_2": np.zeros(1)}
    r = run("BatchNorm", "", (3, 2), "TEST", **zeros)
    np.testing.assert_allclose(r.forward()["y"], r.values["x"] / np.sqrt(1e-5), rtol=1e-6)


def test_batch_norm_of_one_element_has_no_unbiased_variance() -> None:
    r = run("BatchNorm", "", (1, 2))
    got = r.forward()
    np.testing.assert_array_equal(got["y"], np.zeros((1, 2)))
    np.testing.assert_allclose(got["l/1"], 0.999 * r.values["l/1"], rtol=1e-6)


@pytest.mark.parametrize("across", [False, True])
def test_mvn_adds_eps_to_the_deviation(across: bool) -> None:
    r = run("MVN", f"mvn_param {{ across_channels: {str(across).lower()} eps: 0.5 }}", (2, 3, 4, 5))
    x = r.values["x"]
    axes = (1, 2, 3) if across else (2, 3)
    centred = x - x.mean(axis=axes, keepdims=True)
    deviation = x.std(axis=axes, keepdims=True)
    got = r.forward()["y"]
    np.testing.assert_allclose(got, centred / (deviation + 0.5), rtol=1e-6)
    # Caffe's gradient: of a deviation that is deviation + eps throughout.
    g = np.random.default_rng(1).standard_normal(x.shape)
    mean = g.mean(axis=axes, keepdims=True) + got * (g * got).mean(axis=axes, keepdims=True)
    np.testing.assert_allclose(
        r.gradients({"y": g})["x"], (g - mean) / (deviation + 0.5), rtol=1e-6
    )


def test_mvn_of_a_constant_image_has_a_finite_gradient() -> None:
    r = run("MVN", "mvn_param { eps: 0.25 }", (1, 1, 2, 2), x=np.full((1, 1, 2, 2), 3.0))
    np.testing.assert_array_equal(r.forward()["y"], np.zeros((1, 1, 2, 2)))
    g = np.array([1.0, 2.0, 3.0, 6.0]).reshape(1, 1, 2, 2)
    np.testing.assert_allclose(r.gradients({"y": g})["x"], (g - 3.0) / 0.25)


def test_mvn_gives_four_axes() -> None:
    assert run("MVN", "", (2, 3)).forward()["y"].shape == (2, 3, 1, 1)


@pytest.mark.parametrize(("across", "axes"), [("true", (1, 2, 3)), ("false", (1,))])
def test_normalize(across: str, axes: tuple[int, ...]) -> None:
    body = f"norm_param {{ across_spatial: {across} channel_shared: false }}"
    r = run("Normalize", body, (2, 3, 4, 5))
    x, scale = r.values["x"], r.values["l/0"].reshape(1, 3, 1, 1)
    expected = x / np.sqrt((x**2).sum(axis=axes, keepdims=True)) * scale
    np.testing.assert_allclose(r.forward()["y"], expected, rtol=1e-7)


class TestDropout:
    SHAPE = (40, 50, 5)

    def drop(self, body: str, phase: str = "TRAIN", passes: int = 0) -> np.ndarray:
        r = run("Dropout", f"dropout_param {{ {body} }}", self.SHAPE, phase, x=np.ones(self.SHAPE))
        if "@random" in r.values:
            r.values["@random"] = np.array([7, passes], np.uint32)
        return r.forward()["y"]

    def test_share_and_scale(self) -> None:
        y = self.drop("dropout_ratio: 0.3")
        np.testing.assert_allclose(np.unique(y), [0.0, 1.0 / 0.7], rtol=1e-6)
        assert np.mean(y == 0.0) == pytest.approx(0.3, abs=0.02)

    def test_same_numbers_for_the_same_pass_and_others_for_the_next(self) -> None:
        first, again, later = (self.drop("", passes=n) for n in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert 0.4 < np.mean(first != later) < 0.6

    def test_two_layers_of_a_net_differ(self) -> None:
        layers = "\n".join(
            f'layer {{ name: "{n}" type: "Dropout" bottom: "x" top: "{n}" }}' for n in ("a", "b")
        )
        fill = {"x": lambda rng: np.ones(self.SHAPE)}
        net = net_text(layers, x=self.SHAPE)
        got = LayerRun(LayerCase("Dropout", "two", net, "TRAIN", fill)).forward()
        assert 0.4 < np.mean(got["a"] != got["b"]) < 0.6

    def test_gradient_uses_the_same_mask(self) -> None:
        r = run("Dropout", "", self.SHAPE, x=np.ones(self.SHAPE))
        gradient = r.gradients({"y": np.ones(self.SHAPE)})["x"]
        np.testing.assert_array_equal(gradient, r.forward()["y"])

    def test_test_phase_passes_on(self) -> None:
        assert (self.drop("", "TEST") == 1.0).all()

    def test_fields_of_forks(self) -> None:
        np.testing.assert_array_equal(np.unique(self.drop("scale_train: false")), [0.0, 1.0])
        np.testing.assert_allclose(self.drop("scale_train: false", "TEST"), 0.5)
        np.testing.assert_allclose(
            np.unique(self.drop("sqrt_scale: true")), [0.0, np.sqrt(2.0)], rtol=1e-6
        )
        assert (self.drop("sample_weights_test: true", "TEST") == 0.0).any()
