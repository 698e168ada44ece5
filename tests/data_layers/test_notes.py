"""What data sources say, and to whom."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from every_source import CONFIGS, make_data

from compiler.options import CompileOptions
from roastery.building import LogReport, NetBuilder, NetRequest
from roastery.devices.backends import open_backend
from roastery.reading import nets
from runtime.data import database
from runtime.data.datums import source as datum_source
from runtime.data.notes import DataNote, NoteKind, to_log
from runtime.data.opening import open_source, probe_shapes
from runtime.data.sources import hdf5_data, image_data, window_data
from runtime.logging import CaffeLog, LogRecord


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


SAID = {
    "lmdb": [database.OTHER_KIND["LMDB"], database.OPENED["LMDB"], datum_source.SIZE],
    "leveldb": [database.OPENED["LEVELDB"], datum_source.SIZE],
    "images_shuffled": [
        image_data.OPENING,
        image_data.SHUFFLING,
        image_data.TOTAL,
        image_data.SKIPPING,
        image_data.SIZE,
    ],
    "hdf5": [hdf5_data.LOADING, hdf5_data.FILES],
    "windows": [
        window_data.SCALE_UNREAD,
        window_data.IMAGES,
        *[window_data.SAMPLES] * 5,
    ],
    "memory": [],
    "dummy": [],
}


@pytest.mark.parametrize("kind", SAID)
def test_what_a_source_says_when_it_is_opened(
    kind: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[DataNote] = []
    with caplog.at_level(logging.DEBUG):
        open_source(CONFIGS[kind], "TRAIN", 3, folder, notes=said.append).close()
        assert [note.kind for note in said] == SAID[kind]
        probe_shapes(CONFIGS[kind], "TRAIN", folder) if kind != "memory" else None
    assert not caplog.records
    assert len(said) == len(SAID[kind])


def test_a_note_shows_its_values_and_no_more() -> None:
    kind = NoteKind("a.cpp", "{what} is read", line=7)
    assert kind(what="{other}\x1b[2J").text == r"{other}\x1b[2J is read"
    assert str(kind(what="").source) == "a.cpp:7"


class _Kept:
    def __init__(self) -> None:
        self.records: list[LogRecord] = []

    def handle(self, record: LogRecord) -> None:
        self.records.append(record)

    def close(self) -> None: ...

    def lines(self) -> list[str]:
        return [f"{r.source}] {r.text}" for r in self.records]


def test_two_nets_at_once_say_each_in_its_own_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what a thread that reads ahead says when the log of another net is open."""
    monkeypatch.chdir(folder)
    kept, built = (_Kept(), _Kept()), []
    for name, handler in zip(("lmdb", "leveldb"), kept, strict=True):
        log = CaffeLog([handler])
        builder = NetBuilder(
            open_backend("reference"), CompileOptions(), LogReport(log, to_log(log))
        )
        net = nets.net_from_text(
            f'layer {{ name: "in" type: "Data" top: "x" data_param {{ source: "{name}" '
            "batch_size: 4 prefetch: 1 } }"
        )
        built.append(builder.build(NetRequest(net, nets.net_state(net, "TRAIN")), 1).net)
    for _ in range(4):  # 16 records of 11
        built[0].forward_loss()
    for net in built:
        for source in net.feeds.values():
            source.close()
    lines = [handler.lines() for handler in kept]
    made = lines[0].index("layer_factory.hpp:77] Creating layer in")
    assert lines[0][made + 2 : made + 4] == [
        "db_lmdb.cpp:35] Opened lmdb lmdb",
        "net.cpp:86] Creating Layer in",
    ]
    assert "db_leveldb.cpp:18] Opened leveldb leveldb" in lines[1]
    restarting = "data_layer.cpp:73] Restarting data prefetching from start."
    assert restarting in lines[0]
    assert restarting not in lines[1]
    assert not any("leveldb" in line for line in lines[0] if "Opened" in line)
