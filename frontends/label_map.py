"""Label maps: which number stands for which kind of thing.

weiliu89/caffe: LabelMap, src/caffe/util/io.cpp.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from frontends.prototxt import parse_file
from ir.errors import RoasteryError
from ir.location import Location
from roastery.files.missing import missing

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class LabelItem:
    """One kind of thing: its name in annotations, its number, and its name for people."""

    name: str
    label: int
    display_name: str
    location: Location


@dataclass(frozen=True, slots=True)
class LabelMap:
    """The items of a label map, in the order of their file.

    Where several items say the same, the last one counts; ``strict`` refuses that with the place of
    the second.
    """

    items: tuple[LabelItem, ...]

    def labels(self, *, strict: bool = False) -> dict[str, int]:
        """Numbers by names."""
        return self._table("name", lambda item: item.name, lambda item: item.label, strict)

    def names(self, *, strict: bool = False) -> dict[int, str]:
        """Names by numbers."""
        return self._table("label", lambda item: item.label, lambda item: item.name, strict)

    def display_names(self, *, strict: bool = False) -> dict[int, str]:
        """Names for people by numbers."""
        return self._table("label", lambda item: item.label, lambda item: item.display_name, strict)

    def _table(
        self,
        what: str,
        key: Callable[[LabelItem], _Key],
        value: Callable[[LabelItem], _Value],
        strict: bool,
    ) -> dict[_Key, _Value]:
        table: dict[_Key, _Value] = {}
        for item in self.items:
            if strict and key(item) in table:
                raise RoasteryError(f"{what} {key(item)!r} is there twice", location=item.location)
            table[key(item)] = value(item)
        return table


def read_label_map(path: str | os.PathLike[str], place: Location | None = None) -> LabelMap:
    """The label map in a prototxt.

    Args:
        place: where the file is named, for the error of one that is missing.

    Raises RoasteryError for a file that is missing or no label map, or an item without a name or
    a label.
    """
    _must_exist(path, place, 'item { name: "cat" label: 1 display_name: "cat" } ...')
    items = tuple(map(_item, parse_file(path, "LabelMap").item))
    if not items:
        raise RoasteryError(f"label map '{os.fspath(path)}' has no item", location=place)
    return LabelMap(items)


def read_pixel_classes(path: str | os.PathLike[str], place: Location | None) -> tuple[int, ...]:
    """The class that each grey level of a picture of labels stands for: its item's ``label_id``, 0
    for none.

    eric612/MobileNet-YOLO: YoloSegLabel, src/caffe/layers/annotated_data_layer.cpp. An item is of
    the grey level of its place in the file, whatever its ``label`` says.

    Args:
        place: where the file is named, for the error of one that is missing.

    Raises RoasteryError for a file that is missing or no label map.
    """
    _must_exist(path, place, 'item { name: "road" label: 7 label_id: 1 } ...')
    return tuple(item.label_id for item in parse_file(path, "YoloSegLabel").item)


def _must_exist(path: str | os.PathLike[str], place: Location | None, example: str) -> None:
    if not os.path.exists(path):
        raise missing("label map", path, place, f"it is a prototxt: {example}")


def _item(message: Any) -> LabelItem:
    for name in ("name", "label"):
        if not message.has(name):
            raise RoasteryError(f"the item has no {name}", location=message.location)
    return LabelItem(
        message.name, message.label, message.display_name or message.name, message.location
    )
