"""DataSequence of MyCaffe: which rows stand beside which."""

from __future__ import annotations

import numpy as np
import pytest

import roastery.caffe as caffe
from ir.errors import RoasteryError

ROWS = 9


def net_of(folder, fields: str, tops: int, rows: int = ROWS, phase: int = caffe.TRAIN) -> caffe.Net:
    names = " ".join(f'top: "{name}"' for name in "abcdefg"[:tops])
    file = folder / "net.prototxt"
    file.write_text(
        f"""layer {{ name: "i" type: "Input" top: "x" top: "t"
          input_param {{ shape {{ dim: {rows} dim: 2 }} shape {{ dim: {rows} }} }} }}
        layer {{ name: "s" type: "DataSequence" bottom: "x" bottom: "t" {names}
          data_sequence_param {{ label_count: 3 label_start: 4 {fields} }} }}"""
    )
    return caffe.Net(str(file), phase)


class Stream:
    """Batches of rows that have numbers; a row's second element is its label."""

    def __init__(self, net: caffe.Net, rows: int = ROWS) -> None:
        self.net, self.rows, self.batch = net, rows, 0

    def next(self, labels: np.ndarray | None = None) -> list[np.ndarray]:
        """The tops of the next batch."""
        numbers = np.arange(self.rows) + self.batch * self.rows
        labels = numbers * 7 % 3 + 4 if labels is None else labels
        self.net.blobs["x"].data[...] = np.stack([numbers, labels], axis=1)
        self.net.blobs["t"].data[...] = labels
        self.batch += 1
        tops = self.net.forward()
        return [np.array(tops[name]) for name in sorted(tops)]


@pytest.mark.parametrize("phase", [caffe.TRAIN, caffe.TEST])
def test_triplets(tmp_path, phase: int) -> None:
    stream = Stream(net_of(tmp_path, "k: 1 cache_size: 4", 4, phase=phase))
    came: set[int] = set()
    for batch in range(6):
        anchor, same, other, labels = stream.next()
        np.testing.assert_array_equal(anchor, stream.net.blobs["x"].data)
        np.testing.assert_array_equal(same[:, 1], anchor[:, 1])
        assert (same[:, 0] != anchor[:, 0]).all()
        assert (other[:, 1] != anchor[:, 1]).all()
        assert labels.shape == (ROWS, 3, 1, 1)
        tops = (anchor, same, other)
        np.testing.assert_array_equal(labels[..., 0, 0], np.stack([t[:, 1] for t in tops], axis=1))
        # Three rows of each label in a batch, and room for four: one of the batch before.
        oldest = max(0, (batch - 1) * ROWS)
        assert min(same[:, 0].min(), other[:, 0].min()) >= oldest
        came |= set(same[:, 0].astype(int) - anchor[:, 0].astype(int))
    assert len(came) > 4  # at random


def test_pairs_in_turns(tmp_path) -> None:
    stream = Stream(net_of(tmp_path, "", 3))
    for _ in range(3):
        anchor, beside, labels = stream.next()
        np.testing.assert_array_equal(
            beside[:, 1] == anchor[:, 1], [i % 2 == 0 for i in range(ROWS)]
        )
        np.testing.assert_array_equal(labels[..., 0, 0], np.stack([anchor[:, 1], beside[:, 1]], 1))


def test_pairs_of_different_labels(tmp_path) -> None:
    stream = Stream(net_of(tmp_path, "balance_matches: false output_labels: false", 2))
    for _ in range(3):
        anchor, beside = stream.next()
        assert (anchor[:, 1] != beside[:, 1]).all()


def test_many_of_other_labels(tmp_path) -> None:
    stream = Stream(net_of(tmp_path, "k: 4", 7))
    anchor, same, *others, labels = stream.next()
    np.testing.assert_array_equal(same[:, 1], anchor[:, 1])
    for other in others:
        assert (other[:, 1] != anchor[:, 1]).all()
    assert labels.shape == (ROWS, 6, 1, 1)
    # Of each label the rows come one after the other, from the newest on, and again.
    for label in (4, 5, 6):
        taken = np.concatenate([other[other[:, 1] == label, 0] for other in others])
        mine = [n for n in range(ROWS) if n * 7 % 3 + 4 == label]
        np.testing.assert_array_equal(taken, np.resize(mine, len(taken)))


def test_a_batch_with_more_rows_of_a_label_than_are_kept(tmp_path) -> None:
    stream = Stream(net_of(tmp_path, "k: 1 cache_size: 2", 4))
    stream.next()
    _, same, other, _ = stream.next(np.array([4] * 7 + [5] * 2))
    assert set(same[:7, 0]) <= {14, 15}  # the last two of seven
    assert set(same[7:, 0]) == {16, 17}
    assert (other[:, 1] != stream.net.blobs["t"].data).all()


def test_a_label_that_comes_once(tmp_path) -> None:
    stream = Stream(net_of(tmp_path, "k: 1", 4))
    with pytest.raises(RoasteryError, match="there is one row of label 5 so far"):
        stream.next(np.array([4] * 8 + [5]))
    later = Stream(net_of(tmp_path, "k: 1", 4))
    later.next()
    later.next(np.array([4] * 8 + [5]))  # one of the first batch goes with it


@pytest.mark.parametrize("label", [3, 7])
def test_a_label_that_there_is_not(tmp_path, label: int) -> None:
    stream = Stream(net_of(tmp_path, "k: 1", 4))
    with pytest.raises(RoasteryError, match=f"label {label}, where there are labels 4 to 6"):
        stream.next(np.array([4] * 8 + [label]))


@pytest.mark.parametrize(
    ("fields", "tops", "message"),
    [
        ("k: 11", 4, "k is 11"),
        ("k: 1 cache_size: 0", 4, "cache_size is 0"),
        ("k: 1", 3, "k: 1 with labels makes 4 tops, 3 are named"),
        ("output_labels: false", 3, "k: 0 without labels makes 2 tops, 3 are named"),
        ("k: 1 cache_size: 1000000000", 4, "are 6000000000 numbers"),
    ],
)
def test_refusals(tmp_path, fields: str, tops: int, message: str) -> None:
    with pytest.raises(RoasteryError, match=message):
        net_of(tmp_path, fields, tops)


def test_the_number_of_labels_must_be_given(tmp_path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(
        """layer { name: "i" type: "Input" top: "x" top: "t"
          input_param { shape { dim: 4 dim: 2 } shape { dim: 4 } } }
        layer { name: "s" type: "DataSequence" bottom: "x" bottom: "t" top: "a" top: "b" top: "n" }
        """
    )
    with pytest.raises(RoasteryError, match="label_count is 0"):
        caffe.Net(str(file), caffe.TRAIN)
