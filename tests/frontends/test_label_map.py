"""Label maps: numbers by names and back, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from frontends.label_map import read_label_map
from ir.errors import RoasteryError
from roastery.reading.prototxt_files import FileKind, read_prototxt

MAP = """item { name: "none_of_the_above" label: 0 display_name: "background" }
item { name: "n01" label: 1 display_name: "cat" }
item { name: "n02" label: 1 display_name: "kitten" }
item { name: "n01" label: 3 }
"""


def write(folder: Path, text: str) -> Path:
    (folder / "map.prototxt").write_text(text)
    return folder / "map.prototxt"


@pytest.mark.parametrize("kind", ["NetParameter", "SolverParameter"])
def test_one_that_stands_where_a_net_belongs(kind: FileKind, tmp_path: Path) -> None:
    with pytest.raises(RoasteryError) as caught:
        read_prototxt(write(tmp_path, MAP), kind)
    called = "a net" if kind == "NetParameter" else "a solver file"
    assert f"map.prototxt is a label map (LabelMap), not {called}" in caught.value.message
    hint = caught.value.hint or ""
    assert "`label_map_file`" in hint and "--label_map of `roastery detect_objects`" in hint


def test_tables(tmp_path: Path) -> None:
    found = read_label_map(write(tmp_path, MAP))
    assert found.labels() == {"none_of_the_above": 0, "n01": 3, "n02": 1}
    assert found.names() == {0: "none_of_the_above", 1: "n02", 3: "n01"}
    assert found.display_names() == {0: "background", 1: "kitten", 3: "n01"}


def test_what_stands_twice(tmp_path: Path) -> None:
    found = read_label_map(write(tmp_path, MAP))
    with pytest.raises(RoasteryError, match=r"map.prototxt:4:.*name 'n01' is there twice"):
        found.labels(strict=True)
    with pytest.raises(RoasteryError, match=r"map.prototxt:3:.*label 1 is there twice"):
        found.names(strict=True)
    with pytest.raises(RoasteryError, match=r"map.prototxt:3:.*label 1 is there twice"):
        found.display_names(strict=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no item"),
        ('item { name: "a" }', "map.prototxt:1:.*the item has no label"),
        ("item { label: 1 }", "map.prototxt:1:.*the item has no name"),
        ('item { nam: "a" }', "map.prototxt:1:.*nam"),
        ('layer { name: "a" }', "map.prototxt:1:"),
    ],
)
def test_damaged(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match=message):
        read_label_map(write(tmp_path, text))


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match="there is no label map"):
        read_label_map(tmp_path / "gone")
