"""Ranks that share a source read what one rank would read: every kind of source."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from every_source import CONFIGS, KINDS, make_data, same, write

from ir.errors import RoasteryError
from runtime.backends.reference import ReferenceBackend
from runtime.data.config import SourceConfig
from runtime.data.datum import Datum, serialize_datum
from runtime.data.feeds import open_feeds
from runtime.data.notes import unheard
from runtime.data.opening import open_source
from runtime.data.planned import PlannedSource
from runtime.data.prefetch import Prefetcher, read_ahead
from runtime.data.share import ALL, Share
from runtime.data.source import Batch, DataSource, Position
from runtime.data.sources.annotated_data import AnnotatedDataConfig
from runtime.data.sources.data import DataConfig
from runtime.data.sources.image_data import ImageDataConfig
from runtime.data.sources.memory_data import MemoryDataConfig, MemorySource
from runtime.data.sources.video_data import VideoDataConfig
from tests.support.lowering import lowered

STEPS = 6
"""Batches of all ranks that are read; the video is not longer."""
SHARED = [kind for kind in KINDS if CONFIGS[kind].can_take_turns]
OF_WHOLE_BATCHES = ("annotated_yolo", "pairs", "windows")
"""Kinds whose records depend on which batch they are in, with one rank, too."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("sources"))


def of_size(kind: str, ranks: int) -> SourceConfig:
    """A kind's settings, with batches of as many records as so many ranks have together."""
    config = CONFIGS[kind]
    if not hasattr(config, "batch_size"):
        return config
    batch_size = 1 if isinstance(config, VideoDataConfig) else config.batch_size
    return replace(config, batch_size=batch_size * ranks)  # type: ignore[call-arg]


@contextmanager
def opened(
    config: SourceConfig, folder: Path, shares: Sequence[Share], ahead: bool = False
) -> Iterator[list[DataSource]]:
    with ExitStack() as stack:
        sources: list[DataSource] = []
        for share in shares:
            source = open_source(config, "TRAIN", 3, folder, share=share)
            if ahead and source.reads_ahead:  # type: ignore[attr-defined]
                source = Prefetcher(source, 3, 2)  # type: ignore[arg-type]
            stack.callback(source.close)
            sources.append(source)
        yield sources


def ranks(count: int, turns: int = 0) -> list[Share]:
    return [Share(rank, count, turns) for rank in range(count)]


def looked_at(source: DataSource) -> Batch:
    """The next batch; what is said of it before is right, and changes nothing."""
    position = source.position()
    shapes = source.shapes()
    assert source.position() == position
    batch = source.next()
    assert [array.shape for array in batch.arrays] == shapes
    assert batch.position == source.position()
    return batch


def records(config: SourceConfig, batch: Batch) -> list[list[bytes]]:
    """The records of a batch, top by top."""
    size = getattr(config, "batch_size", None)
    if size is None:
        return [[array.tobytes() for array in batch.arrays]]
    tops = []
    for top in batch.arrays:
        boxes = top.reshape(-1, 8) if top.shape[:2] == (1, 1) and top.shape[3:] == (8,) else None
        if boxes is not None and isinstance(config, AnnotatedDataConfig):
            rows = [boxes[boxes[:, 0] == item, 1:] for item in range(size)]
        else:
            assert len(top) == size
            rows = list(top)
        tops.append([row.tobytes() for row in rows])
    return [list(record) for record in zip(*tops, strict=True)]


def together(config: SourceConfig, batches: Sequence[Batch]) -> list[list[bytes]]:
    """What all ranks have read, in the order of one rank."""
    found = [records(config, batch) for batch in batches]
    return [record for turn in zip(*found, strict=True) for record in turn]


def whole_batch(config: SourceConfig, source: DataSource, count: int) -> list[list[bytes]]:
    """A batch of a single rank that has as much as ``count`` ranks."""
    times = 1 if hasattr(config, "batch_size") else count
    return [record for _ in range(times) for record in records(config, source.next())]


@pytest.mark.parametrize(("count", "ahead"), [(2, False), (3, True)])
@pytest.mark.parametrize("kind", SHARED)
def test_interleaved_batches_are_those_of_one_rank(
    kind: str, count: int, ahead: bool, folder: Path
) -> None:
    config, large = of_size(kind, 1), of_size(kind, count)
    with (
        opened(config, folder, ranks(count), ahead) as sources,
        opened(large, folder, [ALL]) as (alone,),
    ):
        assert all(source.position() == alone.position() for source in sources)
        for _ in range(STEPS):
            batches = [looked_at(source) for source in sources]
            assert together(config, batches) == whole_batch(large, alone, count)
            assert all(batch.position == alone.position() for batch in batches)


def saved(position: Position) -> Position:
    found: Position = json.loads(json.dumps(position))
    return found


@pytest.mark.parametrize("kind", SHARED)
def test_any_number_of_ranks_goes_on(kind: str, folder: Path) -> None:
    config = of_size(kind, 1)
    found: list[list[bytes]] = []
    with opened(config, folder, ranks(2), ahead=True) as sources:
        for _ in range(2):
            found += together(config, [source.next() for source in sources])
        position = saved(sources[0].position())
    for count, ahead in ((3, True), (1, False)):
        large = of_size(kind, count)
        with (
            opened(config, folder, ranks(count), ahead) as sources,
            opened(large, folder, [ALL]) as (alone,),
        ):
            alone.restore(position)
            more: list[list[bytes]] = []
            for source in sources:
                source.next()
                source.restore(position)
                assert source.position() == position
            for _ in range(3):
                batches = [looked_at(source) for source in sources]
                read = together(config, batches)
                assert read == whole_batch(large, alone, count)
                more += read
                assert all(batch.position == alone.position() for batch in batches)
        if kind not in OF_WHOLE_BATCHES:
            with opened(config, folder, [ALL]) as (alone,):
                wanted: list[list[bytes]] = []
                while len(wanted) < len(found + more):
                    wanted += records(config, alone.next())
                assert found + more == wanted[: len(found + more)]


@pytest.mark.parametrize(
    ("count", "turns", "ahead"), [(1, 3, False), (2, 5, True), (3, 4, False), (5, 2, True)]
)
@pytest.mark.parametrize("kind", SHARED)
def test_a_test_is_shared_out_by_batches(
    kind: str, count: int, turns: int, ahead: bool, folder: Path
) -> None:
    config, tests = of_size(kind, 1), 3
    with opened(config, folder, [ALL]) as (alone,):
        wanted = [alone.next() for _ in range(tests * turns)]
    with opened(config, folder, ranks(count, turns)[:turns], ahead) as sources:
        for test, (rank, source) in itertools.product(range(tests), enumerate(sources)):
            for turn in range(rank, turns, count):
                batch = looked_at(source)
                assert same(batch.arrays, wanted[test * turns + turn].arrays)
            assert batch.position == wanted[(test + 1) * turns - 1].position
    end = saved(wanted[turns - 1].position)
    with opened(config, folder, ranks(count, turns)[:turns], ahead) as sources:
        for rank, source in enumerate(sources):
            source.next()  # the first batch of a test that is broken off
            source.restore(end)
            assert source.position() == end
            assert same(looked_at(source).arrays, wanted[turns + rank].arrays)


@pytest.mark.parametrize("kind", SHARED)
def test_a_rank_without_a_batch_reads_none(kind: str, folder: Path) -> None:
    with opened(of_size(kind, 1), folder, [ALL, Share(2, 3, 2)]) as (alone, idle):
        assert isinstance(idle, PlannedSource) and read_ahead(idle, 3, None) is idle
        assert idle.shapes() == alone.shapes()
        position = idle.position()
        with pytest.raises(ValueError, match="none for rank 2"):
            idle.next()
        assert idle.position() == position == alone.position()
        alone.next()
        idle.restore(alone.position())
        assert idle.position() == alone.position()
        assert idle.shapes() == alone.shapes()


def test_every_rank_reads_all_of_its_own_arrays() -> None:
    config = CONFIGS["memory"]
    assert isinstance(config, MemoryDataConfig) and not config.can_take_turns
    for share in (ALL, Share(1, 2), Share(1, 2, turns=1)):
        source = open_source(config, "TRAIN", 3, share=share)
        assert isinstance(source, MemorySource)
        source.reset(np.zeros((6, 1, 1, 3)), np.arange(6))
        labels = [source.next().arrays[1].tolist() for _ in range(4)]
        assert labels == [[0, 1], [2, 3], [4, 5], [0, 1]]


def test_every_rank_has_its_own_camera() -> None:
    assert not VideoDataConfig(video_type="WEBCAM").can_take_turns
    assert VideoDataConfig(video_type="VIDEO", video_file="a.avi").can_take_turns


@pytest.mark.parametrize(("rank", "count", "turns"), [(2, 2, 0), (-1, 2, 0), (0, 0, 0), (0, 1, -1)])
def test_no_such_share(rank: int, count: int, turns: int) -> None:
    with pytest.raises(ValueError, match=f"rank {rank} of {count}"):
        Share(rank, count, turns)


@pytest.mark.parametrize("backend", ["lmdb", "leveldb"])
def test_values_of_others_are_not_looked_at(backend: str, tmp_path: Path) -> None:
    """Every second record is no Datum; those between are of several sizes."""
    good = [serialize_datum(Datum(1, 2, 1 + i, bytes(2 + 2 * i), i)) for i in range(4)]
    write(tmp_path / "db", backend, [value for each in good for value in (each, b"x")])
    config = DataConfig(source="db", batch_size=1)
    for share in (Share(0, 2), Share(0, 2, turns=2)):
        with opened(config, tmp_path, [share]) as (source,):
            assert [looked_at(source).arrays[1].item() for _ in range(4)] == [0, 1, 2, 3]
    with opened(config, tmp_path, [Share(1, 2)]) as (source,):
        for look in (source.shapes, source.next):
            with pytest.raises(RoasteryError, match=r"record '00001'.*is not a Datum"):
                look()


def test_pictures_of_others_are_not_looked_at(folder: Path, tmp_path: Path) -> None:
    lines = [f"{folder}/{i}.png {i}\ngone.png {i}\n" for i in range(4)]
    (tmp_path / "list.txt").write_text("".join(lines))
    config = ImageDataConfig(source="list.txt", batch_size=2)
    with opened(config, tmp_path, [Share(0, 2)]) as (source,):
        assert [looked_at(source).arrays[1].tolist() for _ in range(3)] == [[0, 1], [2, 3], [0, 1]]
    with pytest.raises(RoasteryError, match=r"gone\.png"):
        open_source(config, "TRAIN", 3, tmp_path, share=Share(1, 2))


def test_sizes_are_drawn_for_batches_that_begin_anywhere(folder: Path) -> None:
    """After 8 records, batches of 12 in all: their sizes change between batches, not in one."""
    config = of_size("annotated_yolo", 1)
    with opened(config, folder, ranks(2)) as sources:
        sources[0].next()
        position = sources[0].position()
    with opened(config, folder, ranks(3)) as sources:
        sizes = []
        for source in sources:
            source.restore(position)
            sizes.append([source.next().arrays[0].shape[2:] for _ in range(25)])
        assert sizes[0] == sizes[1] == sizes[2]
        assert len(set(sizes[0])) == 2


def test_feeds_of_a_net_are_shared(folder: Path) -> None:
    """Read ahead and with their labels checked; a rank without a batch of the test reads none."""
    source = f'data_param {{ source: "{folder / "lmdb"}" backend: LMDB batch_size: 2 }}'
    net = f"""
    layer {{ name: "read" type: "Data" top: "data" top: "label" {source} }}
    layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
             inner_product_param {{ num_output: 11 }} }}
    layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }}
    """
    program = lowered(net)
    for share, labels in (
        (Share(1, 2), [[1, 3], [5, 7]]),
        (Share(1, 2, turns=3), [[2, 3], [8, 9]]),
        (Share(2, 3, turns=2), []),
    ):
        (feed,) = open_feeds(program, 1, ReferenceBackend(), unheard, share=share)[0].values()
        assert [feed.next().arrays[1].tolist() for _ in labels] == labels
        if not labels:
            with pytest.raises(ValueError, match="none for rank 2"):
                feed.next()
        feed.close()
