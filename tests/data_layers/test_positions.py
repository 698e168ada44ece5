"""A resumed run reads on where the saved one stood: the same records, crops and mirrors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from every_source import KINDS, make_data, open_kind, same

from ir.errors import RoasteryError
from runtime.data.database_writer import new_database
from runtime.data.datum import Datum, serialize_datum
from runtime.data.prefetch import Prefetcher
from runtime.data.source import DataSource


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("sources"))


def ahead(source: DataSource, kind: str) -> DataSource:
    """The source read ahead, where that is done at all."""
    reads_ahead = source.reads_ahead  # type: ignore[attr-defined]
    assert reads_ahead == (kind not in ("memory", "dummy"))
    return Prefetcher(source, 3, 2) if reads_ahead else source  # type: ignore[arg-type]


@pytest.mark.parametrize("prefetch", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_restored_sources_continue(kind: str, prefetch: bool, folder: Path) -> None:
    source = open_kind(kind, folder)
    source = ahead(source, kind) if prefetch else source
    positions, batches = [source.position()], []
    for _ in range(9):
        source.shapes()
        assert source.position() == positions[-1]
        batches.append(source.next())
        positions.append(source.position())
        assert batches[-1].position == positions[-1]
    source.close()
    for start in (0, 1, 4, 7):
        fresh = open_kind(kind, folder)
        fresh = ahead(fresh, kind) if prefetch else fresh
        fresh.next()
        fresh.restore(json.loads(json.dumps(positions[start])))
        assert fresh.position() == positions[start]
        for i in range(start, 9):
            assert [array.shape for array in batches[i].arrays] == fresh.shapes()
            batch = fresh.next()
            assert same(batch.arrays, batches[i].arrays)
            assert batch.position == batches[i].position
        fresh.close()


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides(kind: str, folder: Path) -> None:
    def read(seed: int) -> list[bytes]:
        source = open_kind(kind, folder, seed)
        found = [array.tobytes() for _ in range(4) for array in source.next().arrays]
        source.close()
        return found

    assert read(3) == read(3)
    assert (read(3) == read(4)) == (kind in ("hdf5", "memory", "sparse"))


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_positions_are_refused(kind: str, folder: Path) -> None:
    source = open_kind(kind, folder)
    own = source.position()
    for wrong in (
        {},
        {"kind": "Other"},
        {"kind": own["kind"]},
        {**own, next(key for key in own if key != "kind"): -1},
    ):
        with pytest.raises(RoasteryError, match="saved data position"):
            source.restore(wrong)
    source.close()


def test_a_changed_database_is_noticed(tmp_path: Path, folder: Path) -> None:
    source = open_kind("lmdb", folder)
    source.next()
    position = source.position()
    source.close()
    with new_database(tmp_path / "lmdb", "lmdb") as writer:
        writer.put(b"x", serialize_datum(Datum(3, 12, 14, bytes(504))))
    other = open_kind("lmdb", tmp_path)
    with pytest.raises(RoasteryError, match=r"has no record '00004'.*changed since"):
        other.restore(position)
    other.close()
