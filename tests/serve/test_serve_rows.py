"""How nets of all kinds let requests share a run."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from roastery.cli.main import main

pytestmark = pytest.mark.usefixtures("server_modules")

_HEAD = 'name: "n" layer { name: "data" type: "Input" top: "data" input_param { shape { %s } } }\n'
_IP = 'inner_product_param { num_output: 3 weight_filler { type: "xavier" } }'
PLAIN = f'layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip" {_IP} }}'
RESHAPED = """layer { name: "r" type: "Reshape" bottom: "data" top: "r"
  reshape_param { shape { dim: 4 dim: 5 } } }
"""
FIXED = RESHAPED + PLAIN.replace('"data"', '"r"')
MIXED = """layer { name: "s" type: "Softmax" bottom: "data" top: "s" softmax_param { axis: 0 } }"""
SUM = 'layer { name: "s" type: "Reduction" bottom: "data" top: "s" }'
LSTM = """layer { name: "c" type: "Input" top: "c" input_param { shape { dim: 4 dim: 1 } } }
layer { name: "l" type: "LSTM" bottom: "data" bottom: "c" top: "l"
  recurrent_param { num_output: 3 weight_filler { type: "xavier" } } }"""


@pytest.fixture
def engine(tmp_path: Path) -> Callable[[str, str], Any]:
    def export(dims: str, layers: str) -> Any:
        from roast_server.engine import RoasteryEngine

        (tmp_path / "n.prototxt").write_text(_HEAD % dims + layers)
        words = ["export", str(tmp_path / "n.prototxt"), "--cpu-baseline=none"]
        assert main([*words, f"--output={tmp_path / 'n.roast'}"]) == 0
        return RoasteryEngine(tmp_path / "n.roast", "cpu")

    return export


@pytest.mark.parametrize(
    ("dims", "layers", "expected"),
    [
        ("dim: 1 dim: 5", PLAIN, ("ANY", 6)),
        ("dim: 4 dim: 5", FIXED, ("PADDED", 4)),
        ("dim: 4 dim: 5", MIXED, ("ALONE", 1)),  # rows see each other
        ("dim: 4 dim: 5", SUM, ("ALONE", 1)),  # there are no rows
        ("dim: 4 dim: 1 dim: 5", LSTM, ("ALONE", 1)),  # it remembers
    ],
)
def test_it_is_found_out(
    engine: Callable[[str, str], Any], dims: str, layers: str, expected: tuple[str, int]
) -> None:
    from roast_server.rows import find_rows

    rows = find_rows(engine(dims, layers), 6)
    assert (rows.sharing.name, rows.most) == expected


@pytest.mark.parametrize("layers", [PLAIN, FIXED])
def test_parts_of_a_batch_are_what_they_are_alone(
    engine: Callable[[str, str], Any], layers: str
) -> None:
    from roast_server.rows import find_rows

    net = engine("dim: 4 dim: 5", layers)
    rows = find_rows(net, 6)
    given = [{"data": np.random.default_rng(n).random((n, 5), np.float32)} for n in (1, 2, 1)]
    together = net.run(rows.join(given))
    for start, arrays in zip((0, 1, 3), given, strict=True):
        count = len(arrays["data"])
        part = rows.part(together, start, count)["ip"]
        alone = rows.part(net.run(rows.join([arrays])), 0, count)["ip"]
        assert part.shape == (count, 3)
        np.testing.assert_allclose(part, alone, rtol=1e-5, atol=1e-6)


def test_objects_are_given_to_their_pictures() -> None:
    from roast_server.rows import Rows, Sharing

    found = np.zeros((1, 1, 4, 7), np.float32)
    found[0, 0, :, 0] = [0, 1, 1, 3]
    found[0, 0, :, 1] = [10, 11, 12, 13]
    rows = Rows(Sharing.ANY, (4,), 4)
    parts = [rows.part({"out": found}, start, 1)["out"] for start in range(4)]
    assert [part[0, 0, :, 1].tolist() for part in parts] == [[10], [11, 12], [], [13]]
    assert all((part[0, 0, :, 0] == 0).all() for part in parts)
    two = rows.part({"out": found}, 1, 3)["out"]
    assert two[0, 0, :, :2].tolist() == [[0, 11], [0, 12], [2, 13]]
    assert found[0, 0, 1, 0] == 1  # it is shared


@pytest.mark.parametrize("most", [1, 2, 7, 8, 9, 16, 100, 1024])
def test_few_sizes_are_planned(most: int) -> None:
    from roast_server import rows

    sizes = rows._ladder(most)
    assert sizes[0] == 1 and sizes[-1] == most and len(sizes) <= 8
    assert list(sizes) == sorted(set(sizes))


def test_answers_are_not_held_back() -> None:
    """asyncio turns Nagle's algorithm off for sockets that say they are TCP's."""
    from roast_server import server

    with server._listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP
