"""AnnotatedDatum, the record of SSD's databases: a Datum, and the boxes of what is in its picture.

Fields (weiliu89/caffe: src/caffe/proto/caffe.proto): AnnotatedDatum datum 1, type 2,
annotation_group 3; AnnotationGroup group_label 1, annotation 2; Annotation instance_id 1, bbox 2;
NormalizedBBox xmin 1, ymin 2, xmax 3, ymax 4, difficult 6, size 8. Synopsys' convert_annoset
(foss-for-synopsys-dwc-arc-processors/synopsys-caffe: src/caffe/util/io.cpp) writes x_center 9,
y_center 10, width 11 and height 12 in place of the first four.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roastery.wire.encoding import (
    BYTES,
    FIXED32,
    VARINT,
    WireError,
    bytes_field,
    signed32,
    varint,
    varint_field,
)
from roastery.wire.reader import Field, WireReader

from .boxes.boxes import ObjectBoxes, no_boxes
from .datum import Datum, parse_datum, serialize_datum

BBOX, BBOX_AND_SEG, LANE = 0, 1, 2
"""Types of annotation: boxes; MobileNet-YOLO's of boxes and a label of each pixel, and of lanes."""

BOXED = (BBOX, BBOX_AND_SEG)

_NOT_TOLD = float("nan")


@dataclass(slots=True)
class AnnotatedDatum:
    """A picture, and what is in it.

    ``type`` None: the record has no boxes, and the datum a label.
    """

    datum: Datum
    type: int | None
    boxes: ObjectBoxes


@dataclass(slots=True)
class _Found:
    """Boxes as they are read."""

    corners: list[tuple[float, ...]]
    labels: list[int]
    instances: list[int]
    difficult: list[bool]
    sizes: list[float]


def parse_annotated(record: bytes | memoryview, types: Sequence[int] = BOXED) -> AnnotatedDatum:
    """Read a record; pixels stay a view into it. Raises WireError.

    Types other than these are none, as in protobuf, which drops values that it does not know.
    A Datum, whose first field is no message, is refused by that.
    """
    reader = WireReader(record)
    datum: list[bytes | memoryview] = []
    kind: int | None = None
    found = _Found([], [], [], [], [])
    for field in reader.fields():
        if field.number == 1:
            datum.append(_message(field, "it is a Datum without annotations"))
        elif field.number == 2 and field.wire_type == VARINT:
            value = signed32(int(field.value))  # type: ignore[arg-type]
            if value in types:
                kind = value
        elif field.number == 3:
            _group(reader, field, found)
    # A message that stands twice is one: what the second says counts.
    whole = datum[0] if len(datum) == 1 else b"".join(datum)
    return AnnotatedDatum(parse_datum(whole), kind, _boxes(found))


def parse_any_datum(record: bytes | memoryview) -> Datum:
    """The Datum of a record, with or without annotations. Raises WireError."""
    return parse_annotated(record).datum if is_annotated(record) else parse_datum(record)


def is_annotated(record: bytes | memoryview) -> bool:
    """Whether a record begins as an AnnotatedDatum does: no Datum begins with a message."""
    return bytes(record[:1]) == bytes((1 << 3 | BYTES,))


def serialize_annotated(record: AnnotatedDatum) -> bytes:
    """The bytes that convert_annoset writes for the same record.

    Boxes of one label become a group, in the order in which labels appear first.
    """
    parts = [bytes_field(1, serialize_datum(record.datum))]
    if record.type is not None:
        parts.append(varint_field(2, record.type))
    boxes = record.boxes
    groups: dict[int, list[bytes]] = {}
    for i, label in enumerate(boxes.labels.tolist()):
        groups.setdefault(label, []).append(_serialize_annotation(boxes, i))
    for label, members in groups.items():
        group = [varint_field(1, label), *(bytes_field(2, member) for member in members)]
        parts.append(bytes_field(3, b"".join(group)))
    return b"".join(parts)


def _serialize_annotation(boxes: ObjectBoxes, i: int) -> bytes:
    corners = b"".join(
        varint(number << 3 | FIXED32) + struct.pack("<f", value)
        for number, value in enumerate(boxes.corners[i], 1)
    )
    box = corners + varint_field(6, bool(boxes.difficult[i]))
    return varint_field(1, int(boxes.instances[i])) + bytes_field(2, box)


def _message(field: Field, what: str) -> memoryview:
    if field.wire_type != BYTES or isinstance(field.value, int):
        raise WireError(what)
    return field.value


def _group(reader: WireReader, group: Field, found: _Found) -> None:
    label = 0
    first = len(found.labels)
    for field in reader.inside(group):
        if field.number == 1 and field.wire_type == VARINT:
            label = signed32(int(field.value))  # type: ignore[arg-type]
        elif field.number == 2:
            _annotation(reader, field, found)
    found.labels.extend([label] * (len(found.instances) - first))


def _annotation(reader: WireReader, annotation: Field, found: _Found) -> None:
    instance = 0
    numbers = [0.0, 0.0, 0.0, 0.0, _NOT_TOLD]
    centred = [0.0, 0.0, 0.0, 0.0]
    difficult = False
    for field in reader.inside(annotation):
        if field.number == 1 and field.wire_type == VARINT:
            instance = signed32(int(field.value))  # type: ignore[arg-type]
        elif field.number == 2:
            for inner in reader.inside(field):
                if inner.number == 6 and inner.wire_type == VARINT:
                    difficult = inner.value != 0
                elif inner.number in _PLACES and inner.wire_type == FIXED32:
                    numbers[_PLACES[inner.number]] = _last_float(inner)
                elif inner.number in _CENTRED_PLACES and inner.wire_type == FIXED32:
                    centred[_CENTRED_PLACES[inner.number]] = _last_float(inner)
    found.corners.append(_corners_of(centred) if any(centred) else tuple(numbers[:4]))
    found.sizes.append(numbers[4])
    found.instances.append(instance)
    found.difficult.append(difficult)


_PLACES = {1: 0, 2: 1, 3: 2, 4: 3, 8: 4}
_CENTRED_PLACES = {9: 0, 10: 1, 11: 2, 12: 3}


def _corners_of(centred: list[float]) -> tuple[float, ...]:
    x, y, wide, high = np.array(centred, np.float32)
    half_wide, half_high = wide / np.float32(2), high / np.float32(2)
    with np.errstate(all="ignore"):
        corners = x - half_wide, y - half_high, x + half_wide, y + half_high
    return tuple(map(float, corners))


def _last_float(field: Field) -> float:
    value = field.value
    assert not isinstance(value, int)
    return float(struct.unpack("<f", value[-4:])[0])


def _boxes(found: _Found) -> ObjectBoxes:
    if not found.labels:
        return no_boxes()
    return ObjectBoxes(
        np.array(found.corners, np.float32),
        np.array(found.labels, np.int32),
        np.array(found.instances, np.int32),
        np.array(found.difficult, np.bool_),
        np.array(found.sizes, np.float32),
    )
