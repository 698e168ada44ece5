"""The model of how training scales: formulas, and events of cases made by hand."""

from __future__ import annotations

import math

import pytest

from benchmarks.scaling.check import Averages, Fitted, predicted
from benchmarks.scaling.collectives import Cluster, best, hierarchical, ring, tree
from benchmarks.scaling.links import GB, NDR, RING, TREE, Network
from benchmarks.scaling.overlap import RankWork, efficiency, iteration, straggling
from benchmarks.scaling.page import written
from benchmarks.scaling.predicted import in_order, predicted_work

PLAIN = RING[-1]
SIZES = (1_000, 1_000_000, 100_000_000)


def test_a_ring_of_one_node() -> None:
    cluster = Cluster(8, 300 * GB, NDR)
    found = ring(8e9, cluster, PLAIN)
    messages, moved = 14, 2 * 7 / 8 * 8e9
    assert found == pytest.approx(PLAIN.base + messages * PLAIN.nvlink + moved / 300e9)


def test_a_ring_of_four_nodes() -> None:
    """Of 62 messages 6 leave a node; the slowest link is the network."""
    cluster = Cluster(32, 300 * GB, Network("", 50 * GB, 1e-6))
    found = ring(3.2e9, cluster, PLAIN)
    messages = 56 * PLAIN.nvlink + 6 * (PLAIN.network + 1e-6)
    assert found == pytest.approx(PLAIN.base + messages + 2 * 31 / 32 * 3.2e9 / 50e9)


def test_a_tree_has_as_many_messages_as_levels() -> None:
    cluster = Cluster(64, 300 * GB, Network("", 50 * GB))
    protocol = TREE[0]
    found = tree(0, cluster, protocol)
    assert found == pytest.approx(protocol.base + 14 * protocol.nvlink + 6 * protocol.network)


def test_one_rank_sends_nothing() -> None:
    alone = Cluster(1, GB, NDR)
    assert best(1e9, alone) == ring(1e9, alone, PLAIN) == tree(1e9, alone, PLAIN) == 0


@pytest.mark.parametrize("nbytes", SIZES)
@pytest.mark.parametrize("takes", [best, hierarchical])
def test_more_bandwidth_is_never_slower(takes: object, nbytes: int) -> None:
    assert callable(takes)
    for count in (8, 16, 128, 1024):
        times = [
            takes(nbytes, Cluster(count, 370 * GB, Network("", bandwidth * GB)))
            for bandwidth in (1, 3, 12, 50, 400)
        ]
        assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("nbytes", SIZES)
def test_more_ranks_are_never_faster(nbytes: int) -> None:
    times = [best(nbytes, Cluster(count, 370 * GB, NDR)) for count in (1, 2, 8, 16, 64, 1024)]
    assert times == sorted(times)


def test_buckets_one_after_the_other() -> None:
    """Two are hidden, the third waits for the second, and most of it is exposed."""
    work = RankWork("made", 1, passes=10.0, update=1.0, buckets=((4.0, 2), (5.0, 3), (9.0, 4)))
    found = iteration(work, float)  # a second for each byte
    # 4 to 6, 6 to 9, 9 to 13
    assert (found.seconds, found.travels, found.exposed) == (14.0, 9.0, 3.0)
    assert found.hidden == pytest.approx(6 / 9)
    assert efficiency(work, float) == pytest.approx(11 / 14)


def test_a_late_bucket_holds_up_those_behind_it() -> None:
    work = RankWork("made", 1, passes=10.0, update=0.0, buckets=((10.0, 1), (10.0, 5)))
    assert iteration(work, float).exposed == 6.0
    assert in_order([(9.0, 1), (2.0, 5), (10.0, 1)]) == [(9.0, 1), (9.0, 5), (10.0, 1)]


def test_what_is_hidden_costs_nothing() -> None:
    work = RankWork("made", 1, passes=10.0, update=1.0, buckets=((1.0, 2), (3.0, 2)))
    assert iteration(work, float).seconds == 11.0
    assert iteration(work.slower(2.0), float).seconds == 22.0


def test_a_line_through_points() -> None:
    line = Fitted.to([(nbytes, 2e-4 + nbytes * 1e-9) for nbytes in (4, 1 << 20, 64 << 20)])
    assert (line.alpha, line.beta) == (pytest.approx(2e-4), pytest.approx(1e-9))


def test_ranks_that_share_processors() -> None:
    """What leaves early costs those whose processors have nothing to spare; what leaves at the end
    is waited for."""
    work = RankWork("made", 1, passes=10.0, update=1.0, buckets=((4.0, 2), (10.0, 1)))
    averages = Averages(float, lambda nbytes: nbytes * 1.5, lambda nbytes: nbytes / 2)
    assert predicted(work, averages, 2, 4) == 10.0 + 1.0 + 1.0
    assert predicted(work, averages, 2, 2) == 10.0 + 1.0 + 1.0 + 1.0
    assert predicted(work, averages, 4, 2) == 20.0 + 1.0 + 1.0 + 2.0


def test_what_travels_too_slowly_is_waited_for() -> None:
    work = RankWork("made", 1, passes=10.0, update=1.0, buckets=((4.0, 2), (10.0, 1)))
    averages = Averages(float, lambda nbytes: nbytes * 5, lambda nbytes: 0.0)
    assert predicted(work, averages, 2, 2) == 4.0 + 10.0 + 1.0 + 1.0


def test_stragglers() -> None:
    assert straggling(0.1, 1) == 1.0
    assert straggling(0.1, 2) == pytest.approx(1 + 0.1 / math.sqrt(math.pi), rel=0.02)
    assert 1.31 < straggling(0.1, 1024) < 1.34  # 3.2 deviations


def test_a_nets_work_is_predicted() -> None:
    work = predicted_work("caffenet", 16, 90, "bfloat16")
    assert work.nbytes == pytest.approx(60_965_224 * 4, rel=0.01)
    ready = [seconds for seconds, _ in work.buckets]
    assert ready == sorted(ready)
    assert 0 < ready[0] < ready[-1] <= work.passes
    early = sum(nbytes for seconds, nbytes in work.buckets if seconds < 0.7 * work.passes)
    assert early > 0.9 * work.nbytes  # fully connected layers leave long before the end


def test_tables_are_written_between_marks() -> None:
    page = "a\n<!-- one -->\nold\n<!-- end -->\nb\n"
    once = written(page, {"one": lambda: "| x |\n"})
    assert once == "a\n<!-- one -->\n\n| x |\n\n<!-- end -->\nb\n"
    assert written(once, {"one": lambda: "| x |\n"}) == once
    with pytest.raises(KeyError):
        written(page, {})
