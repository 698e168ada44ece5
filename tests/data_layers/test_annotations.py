"""Files with annotations: what is wrong with them is told with its place, whatever they hold."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ir.errors import RoasteryError
from runtime.data.annotations.coco_json import parse_coco
from runtime.data.annotations.found import FoundObjects, boxes_of, read_annotation
from runtime.data.annotations.text_lines import parse_lines
from runtime.data.annotations.voc_xml import parse_voc

BOX = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
CAT = f"<object><name>cat</name>{BOX}</object>"


def voc(inner: str) -> FoundObjects:
    return parse_voc(f"<annotation>\n{inner}\n</annotation>".encode(), "a.xml")


def test_only_an_objects_own_elements_count() -> None:
    part = f"<part><name>head</name>{BOX.replace('1', '9')}</part>"
    found = voc(
        f"<source><name>x</name></source><size><width>40</width><height> 30 </height></size>"
        f"<object><name>cat</name>{part}{BOX}<difficult>1</difficult></object><name>dog</name>"
    )
    assert (found.height, found.width) == (30, 40)
    (thing,) = found.objects
    assert (thing.name, thing.corners, thing.difficult) == ("cat", (1, 2, 3, 4), True)


def test_numbers_of_pixels() -> None:
    found = voc(CAT.replace("3", "3.5").replace("<xmin>1", "<xmin>-1"))
    assert found.objects[0].corners == (-1, 2, 3.5, 4)
    assert voc("<size><width>12.5</width></size>").width is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_encodings(encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    text = f"{head}<annotation>{CAT.replace('cat', 'käse')}</annotation>"
    assert parse_voc(text.encode(encoding), "a.xml").objects[0].name == "käse"


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.xml:1:1: this is no XML: no element found"),
        ("<annotation><object></annotation>", "a.xml:1:.*mismatched tag"),
        ("<html/>", r"a.xml:1:.*is a <html>, not an <annotation>"),
        ("<annotation>\n<object><name>cat</name></object></annotation>",
         "a.xml:2.*bndbox has no xmin and no ymin and no xmax and no ymax"),
        (f"<annotation>\n\n<object>{BOX}</object></annotation>", "a.xml:3.*has no name"),
        (f"<annotation>{CAT.replace('>3<', '>wide<')}</annotation>", "xmax is 'wide', not a"),
        (f"<annotation>{CAT.replace('>3<', '>1e999<')}</annotation>", "bndbox is not a box"),
        (f"<annotation>{CAT.replace('>3<', '>nan<')}</annotation>", "bndbox is not a box"),
        (f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><annotation>&l9;</annotation>',
         r"declares an entity \(l0\)"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation/>',
         r"declares an entity \(x\)"),
        ("<annotation>&what;</annotation>", "no XML: undefined entity"),
        ("<annotation>" + "<a>" * 100_000, "64 deep"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', "this is no XML"),
        ('{"annotation": []}', "--label_type=json reads"),
    ],
)  # fmt: skip
def test_damaged_xml(text: str, message: str) -> None:
    with pytest.raises(RoasteryError, match=message):
        parse_voc(text.encode(), "a.xml")


def test_long_texts_are_not_kept() -> None:
    text = f"<annotation>{CAT.replace('cat', 'cat' * 1_000_000)}</annotation>".encode()
    assert len(parse_voc(text, "a.xml").objects[0].name) == 4096  # type: ignore[arg-type]


def coco(*annotations: object, **more: object) -> bytes:
    return json.dumps({"annotation": annotations, **more}).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.json:1:1: this is no JSON"),
        (b'{"annotation": [}', "a.json:1:17.*this is no JSON"),
        (b"[" * 100_000, "this is no JSON"),
        (b'{"annotation": [' + b"9" * 10_000 + b"]}", "annotation.0. is no object|no JSON"),
        (b"[]", "has no list 'annotation'"),
        (b'{"images": [], "annotations": []}', "this file is of a whole set"),
        (coco(5), r"annotation\[0\] is no object"),
        (coco({"bbox": [1, 2, 3, 4]}), r"annotation\[0\] has no category_id"),
        (coco({"category_id": 1, "bbox": [1, 2, 3]}), r"bbox of annotation\[0\] is \[1, 2, 3\]"),
        (coco({"category_id": 1, "bbox": [1, 2, 3, float("nan")]}), r"bbox of annotation\[0\]"),
        (coco({"category_id": 1, "bbox": [1, 2, 3, True]}), r"bbox of annotation\[0\]"),
        (b"\xff\xfe\xfd", "this is no JSON"),
    ],
)
def test_damaged_json(data: bytes, message: str) -> None:
    with pytest.raises(RoasteryError, match=message):
        parse_coco(data, "a.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3 4", "a.txt:1: the line is '1 2 3 4'"),
        ("1 2 3 4 5\n1.5 2 3 4 5", "a.txt:2: the line is"),
        ("1 2 3 4 wide", "the box is '2 3 4 wide'"),
        ("1 2 3 4 inf", "the box is not a box"),
    ],
)
def test_damaged_lines(text: str, message: str) -> None:
    with pytest.raises(RoasteryError, match=message):
        parse_lines(text.encode(), "a.txt")


def test_names_are_those_of_the_label_map() -> None:
    with pytest.raises(RoasteryError, match=r"a.xml:2.*'cat' is no name of the label map"):
        boxes_of(voc(CAT), 30, 40, {"dog": 1})
    with pytest.raises(RoasteryError, match="COCO's category_id is looked up there"):
        boxes_of(parse_coco(coco({"category_id": 84, "bbox": [1, 2, 3, 4]}), "a"), 9, 9, {"dog": 1})
    with pytest.raises(RoasteryError, match="the picture is 0 wide"):
        boxes_of(voc(f"<size><width>0</width></size>{CAT}"), 30, 40, {"cat": 1})


@pytest.mark.parametrize("parse", [parse_voc, parse_coco, parse_lines])
def test_any_bytes_are_refused_or_read(parse: Callable[[bytes, str], FoundObjects]) -> None:
    for data in (bytes(range(256)), b"\0" * 100, b"<annotation/>" * 2, b"\xef\xbb\xbf"):
        with contextlib.suppress(RoasteryError):
            parse(data, "a")


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(RoasteryError, match="Is a directory"):
        read_annotation(tmp_path)
    with open(tmp_path / "large", "wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(RoasteryError, match="is larger than 64 MiB"):
        read_annotation(tmp_path / "large")
