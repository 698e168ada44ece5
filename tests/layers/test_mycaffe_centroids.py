"""Decode, AccuracyDecode, AccuracyEncoding and Knn of MyCaffe, pass by pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError

FARTHEST = np.float32(3.4028235e38)


def net_of(
    folder: Path, layer: str, x: tuple[int, ...], t: tuple[int, ...], phase: int = caffe.TRAIN
) -> caffe.Net:
    """A net of one layer over `x` and labels `t`."""
    text = "".join(
        f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
        + " ".join(f"dim: {d}" for d in shape)
        + " } } }\n"
        for name, shape in (("x", x), ("t", t))
    )
    file = folder / "net.prototxt"
    file.write_text(text + f'layer {{ name: "l" bottom: "x" bottom: "t" {layer} }}\n')
    return caffe.Net(str(file), phase)


def give(net: caffe.Net, x: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
    net.blobs["x"].data[...] = x
    net.blobs["t"].data[...] = t
    return {name: np.array(top) for name, top in net.forward().items()}


class Centroids:
    """What the layer keeps, by the rule for one row after the other."""

    def __init__(self, labels: int, width: int, many: int) -> None:
        self.points = np.zeros((labels, width))
        self.seen = [0] * labels
        self.done = [0] * labels
        self.many = many

    def take(self, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        share, rows = 1 / self.many, []
        for row, label in zip(x, labels, strict=True):
            if self.seen[label] == 0:
                self.points[label] = row * share
            else:
                if self.seen[label] < self.many:
                    share = 1 / (self.seen[label] + 1)
                else:
                    self.done[label] = 1
                self.points[label] = share * row + (1 - share) * self.points[label]
            self.seen[label] += 1
            rows.append(((row - self.points) ** 2).sum(1))
        return np.array(rows)


def batches(count: int, labels: int = 3) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(4)
    return [(rng.standard_normal((5, 2)), rng.integers(0, labels, (5, 2))) for _ in range(count)]


def test_decode_learns_centroids(tmp_path) -> None:
    """Labels above the largest so far are as far as can be; the second label of a pair is not
    read; the centroids are told when all are done."""
    layer = """type: "Decode" top: "d" top: "c"
      decode_param { pregen_label_count: 4 cache_size: 1 centroid_output_iteration: 6 }"""
    net = net_of(tmp_path, layer, (5, 2), (5, 2))
    kept = Centroids(4, 2, 5)
    told = []
    for number, (x, t) in enumerate(batches(12)):
        distances = kept.take(x, t[:, 0])
        tops = give(net, x, t)
        assert tops["d"].shape == (5, 4, 1, 1) and tops["c"].shape == (4, 2, 1, 1)
        np.testing.assert_allclose(tops["d"][:, :3, 0, 0], distances[:, :3], rtol=1e-4, atol=1e-6)
        assert (tops["d"][:, 3] == FARTHEST).all()
        points, done, seen = (blob.data[:, 0, 0, 0] for blob in net.params["l"])
        np.testing.assert_allclose(points, kept.points[:, 0], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(done, kept.done)
        np.testing.assert_array_equal(seen, kept.seen)
        ready = number >= 6 and sum(kept.done) == 3
        told.append(ready)
        expected = kept.points if ready else np.zeros((4, 2))
        np.testing.assert_allclose(tops["c"][..., 0, 0], expected, rtol=1e-4, atol=1e-6)
    assert True in told and False in told


def test_decode_ignores_labels(tmp_path) -> None:
    layer = """type: "Decode" top: "d" top: "c" decode_param { pregen_label_count: 3 cache_size: 1
      centroid_output_iteration: 0 ignore_label: 1 ignore_label: 7 }"""
    net = net_of(tmp_path, layer, (5, 2), (5, 2))
    for x, t in batches(12):
        tops = give(net, x, t)
    assert (tops["d"][:, 1] == FARTHEST).all() and (tops["d"][:, [0, 2]] < 100).all()
    assert net.params["l"][1].data.ravel().tolist() == [1, 0, 1]
    np.testing.assert_array_equal(tops["c"], net.params["l"][0].data)


def test_decode_in_testing_takes_what_was_learned(tmp_path) -> None:
    layer = 'type: "Decode" top: "d" decode_param { pregen_label_count: 4 }'
    trained = net_of(tmp_path, layer, (5, 2), (5, 2))
    for x, t in batches(3):
        give(trained, x, t)
    trained.save(str(tmp_path / "w.caffemodel"))
    net = net_of(tmp_path, layer, (5, 2), (5, 2), caffe.TEST)
    net.copy_from(str(tmp_path / "w.caffemodel"))
    points = trained.params["l"][0].data[:3, :, 0, 0]
    for x, t in batches(2):
        told = give(net, x, t)["d"][:, :, 0, 0]
        expected = ((x[:, None] - points) ** 2).sum(2)
        np.testing.assert_allclose(told[:, :3], expected, rtol=1e-4, atol=1e-6)
        assert (told[:, 3] == FARTHEST).all()
    np.testing.assert_array_equal(net.params["l"][0].data, trained.params["l"][0].data)


def test_decode_without_labels_and_weights_has_two_centroids_in_testing(tmp_path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 2 } } } '
        'layer { name: "l" type: "Decode" bottom: "x" top: "d" }'
    )
    net = caffe.Net(str(file), caffe.TEST)
    net.blobs["x"].data[...] = [[1, 2], [0, 0], [3, -4]]
    told = net.forward()["d"][..., 0, 0]
    np.testing.assert_array_equal(told[:, :2], [[5, 5], [0, 0], [25, 25]])
    assert told.shape == (3, 10) and (told[:, 2:] == FARTHEST).all()


def test_decode_with_centroids_that_stay(tmp_path) -> None:
    layer = 'type: "Decode" top: "d" decode_param { enable_centroid_update: false }'
    net = net_of(tmp_path, layer, (5, 2), (5, 2))
    points = np.random.default_rng(0).standard_normal((10, 2))
    net.params["l"][0].data[...] = points[..., None, None]
    seen = np.zeros(10)
    for x, t in batches(3, 6):
        told = give(net, x, t)["d"][..., 0, 0]
        seen += np.bincount(t[:, 0], minlength=10)
        known = np.flatnonzero(seen).max() + 1
        expected = ((x[:, None] - points) ** 2).sum(2)
        np.testing.assert_allclose(told[:, :known], expected[:, :known], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(net.params["l"][2].data.ravel(), seen)
        assert net.params["l"][1].data.ravel().tolist() == [1] * known + [0] * (10 - known)


def test_decode_with_targets_apart(tmp_path) -> None:
    layer = """type: "Decode" top: "d" top: "c"
      decode_param { target: PREGEN pregen_label_count: 7 pregen_alpha: 5 }"""
    net = net_of(tmp_path, layer, (5, 2), (5, 2))
    points = net.params["l"][0].data[..., 0, 0].copy()
    apart = ((points[:, None] - points) ** 2).sum(2)
    assert apart[~np.eye(7, dtype=bool)].min() > 10
    (x, t), *_ = batches(1)
    tops = give(net, x, t)
    expected = ((x[:, None] - points) ** 2).sum(2)
    np.testing.assert_allclose(tops["d"][..., 0, 0], expected, rtol=1e-4)
    np.testing.assert_array_equal(tops["c"][..., 0, 0], points)


def test_accuracy_decode(tmp_path) -> None:
    distances = np.array(
        [[2, 1, 3], [1, 1, 2], [np.nan, 4, 5], [FARTHEST, FARTHEST, FARTHEST], [9, 8, 7], [9, 8, 7]]
    )
    labels = np.array([[1, 0], [0, 1], [1, 0], [0, 0], [2, 0], [0, 2]])
    net = net_of(tmp_path, 'type: "AccuracyDecode" top: "a"', (6, 3), (6, 2))
    assert give(net, distances, labels)["a"] == pytest.approx(4 / 6)
    layer = 'type: "AccuracyDecode" top: "a" accuracy_param { ignore_label: 0 }'
    net = net_of(tmp_path, layer, (6, 3), (6, 2))
    assert give(net, distances, labels)["a"] == 1
    assert give(net, distances, 0 * labels)["a"] == 0


@pytest.mark.parametrize("phase", [caffe.TRAIN, caffe.TEST])
def test_accuracy_encoding(tmp_path, phase: int) -> None:
    layer = 'type: "AccuracyEncoding" top: "a" decode_param { cache_size: 2 }'
    net = net_of(tmp_path, layer, (5, 2), (5, 2), phase)
    kept = Centroids(10, 2, 10)
    for x, t in batches(4):
        found = kept.take(x, t[:, 0])[:, :3].argmin(1)
        assert give(net, x, t)["a"] == pytest.approx((found == t[:, 0]).mean())
        points = net.params["l"][0].data[..., 0, 0]
        np.testing.assert_allclose(points, kept.points, rtol=1e-4, atol=1e-6)


def nearness(x: np.ndarray, stored: np.ndarray, names: np.ndarray, k: int) -> np.ndarray:
    rows = []
    for row in x:
        far = []
        for name in sorted(set(names.tolist())):
            distances = sorted(np.sqrt(((stored[names == name] - row) ** 2).sum(1)))
            far.append(np.mean(distances[:k] if k > 0 else distances))
        rows.append(1 - (np.array(far) - min(far)) / (max(far) - min(far)))
    return np.array(rows)


@pytest.mark.parametrize(("k", "passes"), [(100, 1), (2, 2), (1, 3), (0, 5), (3, 8)])
def test_knn_keeps_the_last_batches(tmp_path, k: int, passes: int) -> None:
    layer = f'type: "Knn" top: "n" knn_param {{ num_output: 4 k: {k} max_stored_batches: 3 }}'
    trained = net_of(tmp_path, layer, (5, 2), (5,))
    assert [blob.data.shape for blob in trained.params["l"]] == [(1, 1, 1, 1), *[(5, 2), (5,)] * 3]
    given = batches(passes)
    for x, t in given:
        assert not give(trained, x, t[:, 0])["n"].any()
    assert trained.params["l"][0].data.ravel() == [min(passes, 3)]
    trained.save(str(tmp_path / "w.caffemodel"))
    net = net_of(tmp_path, layer, (5, 2), (5,), caffe.TEST)
    x, t = np.random.default_rng(9).standard_normal((5, 2)), np.zeros(5)
    assert not give(net, x, t)["n"].any()  # nothing is stored yet
    net.copy_from(str(tmp_path / "w.caffemodel"))
    told = give(net, x, t)["n"]
    assert told.shape == (5, 4, 1, 1)
    last = given[-3:]
    stored = np.concatenate([rows for rows, _ in last])
    names = np.concatenate([labels[:, 0] for _, labels in last])
    expected = nearness(x, stored, names, k)
    np.testing.assert_allclose(told[:, : expected.shape[1], 0, 0], expected, rtol=1e-3, atol=1e-5)
    assert not told[:, expected.shape[1] :].any()


def test_a_test_net_takes_what_the_training_net_keeps(tmp_path) -> None:
    (tmp_path / "net.prototxt").write_text(
        """
        layer { name: "x" type: "Input" top: "x" top: "t"
          input_param { shape { dim: 5 dim: 2 } shape { dim: 5 } } }
        layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
          inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
        layer { name: "d" type: "Decode" bottom: "y" bottom: "t" top: "d" }
        layer { name: "k" type: "Knn" bottom: "y" bottom: "t" top: "k" }
        layer { name: "s" type: "Silence" bottom: "d" bottom: "k" include { phase: TRAIN } }
        layer { name: "a" type: "AccuracyDecode" bottom: "d" bottom: "t" top: "a"
          include { phase: TEST } }
        layer { name: "l" type: "EuclideanLoss" bottom: "y" bottom: "x" top: "l" }
        """
    )
    solver_file = tmp_path / "solver.prototxt"
    solver_file.write_text(
        f'net: "{tmp_path}/net.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 9 '
        "test_interval: 100 test_iter: 1 test_initialization: false "
        f'snapshot_prefix: "{tmp_path}/s"'
    )
    solver = caffe.SGDSolver(str(solver_file))
    train, test = solver.net, solver.test_nets[0]
    for x, t in batches(3):
        train.blobs["x"].data[...], train.blobs["t"].data[...] = x, t[:, 0]
        solver.step(1)
    assert train.params["k"][0].data.ravel() == [3]
    assert train.params["d"][2].data.sum() == 15
    test.blobs["x"].data[...], test.blobs["t"].data[...] = x, t[:, 0]
    test.forward()
    np.testing.assert_array_equal(test.params["d"][0].data, train.params["d"][0].data)
    assert test.blobs["k"].data.max() == 1
    points = train.params["d"][0].data[..., 0, 0]
    found = ((test.blobs["y"].data[:, None] - points[:3]) ** 2).sum(2).argmin(1)
    assert test.blobs["a"].data == pytest.approx((found == t[:, 0]).mean())


@pytest.mark.parametrize(
    ("layer", "x", "t", "message"),
    [
        ('"Decode" decode_param { target: KNN }', (5, 2), (5,), "target KNN"),
        ('"Decode" decode_param { cache_size: 0 }', (5, 2), (5,), "cache_size is 0"),
        ('"Decode" decode_param { target: PREGEN }', (5, 2), (5,), "pregen_label_count is 0"),
        (
            '"Decode" decode_param { target: PREGEN pregen_label_count: 3 pregen_alpha: 0 }',
            (5, 2),
            (5,),
            "pregen_alpha is 0",
        ),
        ('"Decode" decode_param { pregen_label_count: 2000000 }', (5, 2), (5,), "count is 2000000"),
        ('"Decode"', (5, 2), (4,), "there are 5 rows"),
        ('"AccuracyDecode" accuracy_param { top_k: 2 }', (5, 2), (5,), "top_k is 2"),
        ('"AccuracyDecode"', (5, 2, 3), (5,), "a distance for each label"),
        ('"AccuracyEncoding" accuracy_param { axis: 0 }', (5, 2), (5, 2), "axis is 0"),
        ('"AccuracyEncoding"', (5, 2), (5,), "5 labels for 5 rows"),
        ('"Knn" knn_param { num_output: 0 }', (5, 2), (5,), "num_output is 0"),
        ('"Knn" knn_param { max_stored_batches: 5000 }', (5, 2), (5,), "batches is 5000"),
        ('"Knn"', (5, 2), (5, 2), "10 labels for 5 rows"),
    ],
)
def test_refusals(tmp_path, layer: str, x: tuple, t: tuple, message: str) -> None:
    with pytest.raises(RoasteryError, match=message):
        net_of(tmp_path, f'type: {layer} top: "y"', x, t)


def test_training_needs_labels(tmp_path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 2 } } } '
        'layer { name: "l" type: "Decode" bottom: "x" top: "d" }'
    )
    with pytest.raises(RoasteryError, match="holds labels, and it is missing"):
        caffe.Net(str(file), caffe.TRAIN)


@pytest.mark.parametrize("label", [-1, 10])
def test_a_label_that_has_no_centroid(tmp_path, label: int) -> None:
    net = net_of(tmp_path, 'type: "Decode" top: "d"', (5, 2), (5,))
    with pytest.raises(RoasteryError, match=f"label {label}, where there are centroids") as refused:
        give(net, np.zeros((5, 2)), np.array([0, 1, label, 2, 3]))
    assert "pregen_label_count" in str(refused.value)


def test_more_classes_than_outputs(tmp_path) -> None:
    layer = 'type: "Knn" top: "n" knn_param { num_output: 2 max_stored_batches: 1 }'
    net = net_of(tmp_path, layer, (5, 2), (5,), caffe.TEST)
    stored, _, names = net.params["l"]
    stored.data[...], names.data[...] = 1, [0, 1, 2, 0, 1]
    with pytest.raises(RoasteryError, match="3 classes are stored, where num_output is 2"):
        give(net, np.zeros((5, 2)), np.zeros(5))
