"""Records with lanes, as MobileNet-YOLO's convert_annoset writes them."""

from __future__ import annotations

from collections.abc import Sequence

from roastery.wire.encoding import bytes_field, float_field, varint_field
from runtime.data.datum import Datum, serialize_datum


def lane_record(datum: Datum, lanes: Sequence[Sequence[tuple[float, float]]]) -> bytes:
    """An AnnotatedDatum of type LANE; points in parts of the picture."""
    parts = [bytes_field(1, serialize_datum(datum)), varint_field(2, 2)]
    for number, lane in enumerate(lanes):
        group = [varint_field(1, number)]
        for x, y in lane:
            place = float_field(1, x) + float_field(2, y) + varint_field(3, number)
            group.append(bytes_field(2, bytes_field(3, place)))
        parts.append(bytes_field(3, b"".join(group)))
    return b"".join(parts)
