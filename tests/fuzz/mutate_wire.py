"""Changes to protobuf messages that keep lengths right: fields, nested ones too."""

from __future__ import annotations

from random import Random

from roastery.wire.encoding import varint

from . import mutate_bytes

_NUMBERS = (0, 1, 2, 5, 127, 128, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1)
Field = tuple[int, int, bytes]  # number, wire type, payload


def mutate(data: bytes, rng: Random, depth: int = 0) -> bytes:
    """One change somewhere in a message; other bytes are changed as bytes."""
    fields = _fields(data)
    if not fields or (depth == 0 and rng.random() < 0.2):
        return rng.choice(mutate_bytes.MUTATORS)(data, rng)
    at = rng.randrange(len(fields))
    number, kind, payload = fields[at]
    if kind == 2 and depth < 8 and rng.random() < 0.7 and _fields(payload):
        fields[at] = number, kind, mutate(payload, rng, depth + 1)
        return _join(fields)
    what = rng.randrange(7)
    if what == 0:
        del fields[at]
    elif what == 1:
        fields[at:at] = [fields[at]] * rng.choice((1, 1, 40, 3000))
    elif what == 2:
        fields.insert(rng.randrange(len(fields) + 1), fields.pop(at))
    elif what == 3:
        fields[at] = (
            rng.choice((number + 1, max(1, number - 1), rng.randrange(1, 200))),
            kind,
            payload,
        )
    elif what == 4:
        other = rng.choice(fields)
        fields[at] = number, other[1], other[2]
    elif kind == 0:
        fields[at] = number, kind, varint(rng.choice(_NUMBERS))
    else:
        change = rng.choice(mutate_bytes.MUTATORS)
        new = change(payload, rng)
        fields[at] = (
            number,
            kind,
            new if kind == 2 else new[: len(payload)].ljust(len(payload), b"\0"),
        )
    return _join(fields)


def _fields(data: bytes) -> list[Field]:
    """The fields of a message; none if it is no message."""
    found, at = [], 0
    while at < len(data):
        key, at = _varint(data, at)
        if key is None or not 1 <= key >> 3 < 1 << 29:
            return []
        kind = key & 7
        if kind == 0:
            begin = at
            value, at = _varint(data, at)
            if value is None:
                return []
            payload = data[begin:at]
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            payload, at = data[at : at + size], at + size
        elif kind == 2:
            length, at = _varint(data, at)
            if length is None or at + length > len(data):
                return []
            payload, at = data[at : at + length], at + length
        else:
            return []
        found.append((key >> 3, kind, payload))
        if len(found) > 20_000:
            return []
    return found if at == len(data) else []


def _varint(data: bytes, at: int) -> tuple[int | None, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            return None, at
        value |= (data[at] & 127) << shift
        at += 1
        if not data[at - 1] & 128:
            return value, at
    return None, at


def _join(fields: list[Field]) -> bytes:
    return b"".join(
        varint(number << 3 | kind) + (varint(len(payload)) if kind == 2 else b"") + payload
        for number, kind, payload in fields
    )
