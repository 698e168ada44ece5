"""What stands around published nets in benchmarks/published: boxes, frames, and what is told."""

from __future__ import annotations

import numpy as np

from benchmarks.published.tasks.boxes import kept, overlaps
from benchmarks.published.tasks.pictures import cut_out
from benchmarks.published.tasks.task import Found, compared
from benchmarks.published.tasks.ultraface import priors


def test_boxes_that_a_better_one_covers_are_left_out() -> None:
    rows = np.array([[0, 0, 10, 10, 0.5], [0, 1, 10, 11, 0.9], [20, 0, 30, 10, 0.7]])
    assert kept(rows, 0.7).tolist() == [1, 2]
    assert kept(rows, 0.9).tolist() == [1, 2, 0]
    assert overlaps(rows[0], rows[1:]).tolist() == [90 / 110, 0]
    inside = np.array([[2, 2, 4, 4, 0.1]])
    assert overlaps(rows[0], inside).tolist() == [0.04]
    assert overlaps(rows[0], inside, of_smaller=True).tolist() == [1]
    assert kept(rows[:0], 0.5).tolist() == []


def test_frames_reach_beyond_pictures() -> None:
    picture = np.arange(1, 13, dtype=np.float32).reshape(3, 4, 1)
    found = cut_out(picture, np.array([-1.0, 1.0, 2.0, 4.0]))
    assert found[:, :, 0].tolist() == [[0, 5, 6], [0, 9, 10], [0, 0, 0]]
    assert not cut_out(picture, np.array([9.0, 9.0, 11.0, 12.0])).any()


def test_there_are_as_many_boxes_as_the_net_has() -> None:
    assert priors().shape == (4420, 4)


def test_what_differs_is_told() -> None:
    one = Found(("a",), np.array([1.0, 2.0]))
    assert compared([one, one], [one, one]) == "the same"
    near = Found(("a",), np.array([1.0, 2.5]))
    assert compared([one, one], [one, near]) == "the same, within 5e-01"
    assert compared([one, one], [one, Found(("b",), one.numbers)]) == "differs in 1 of 2"
    assert compared([one], [Found(("a",), one.numbers[:1])]) == "differs in 1 of 1"
