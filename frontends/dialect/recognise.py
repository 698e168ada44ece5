"""Which fork wrote a binary net: the one whose field numbers leave the least unexplained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from frontends.schema.registry import REGISTRY
from frontends.schema.types import EnumType, FieldType, MessageType
from roastery.wire.encoding import BYTES, FIXED32, FIXED64, VARINT
from roastery.wire.reader import DamagedMessage, WireReader

from .dialect import Dialect
from .known import dialects
from .messages import DialectNumbers

_WIRE = {"float": FIXED32, "double": FIXED64, "string": BYTES, "bytes": BYTES}
_DEEPEST = 8
_ENOUGH = 2000
"""Layers that are looked at: a fork shows in the first ones, and files may be hostile."""


def recognised(nets: Iterable[bytes]) -> Dialect:
    """The dialect of a binary net.

    Args:
        nets: fields of a NetParameter, without blobs; each is a message of its own.

    Returns:
        Caffe's own where all of it is Caffe's; of several forks that explain as much, the first.
    """
    pieces = list(nets)[:_ENOUGH]
    best, fewest = None, None
    for dialect in dialects().values():
        if dialect.reads_only:
            continue
        count = _Reader(dialect).unexplained(pieces, fewest)
        if fewest is None or count < fewest:
            best, fewest = dialect, count
        if fewest == 0:
            break
    assert best is not None  # there is Caffe's
    return best


class _Reader:
    """Counts what a dialect does not explain."""

    def __init__(self, dialect: Dialect) -> None:
        self._numbers = DialectNumbers(dialect)
        self._fields: dict[str, Mapping[int, FieldType]] = {}

    def unexplained(self, pieces: Iterable[bytes], most: int | None) -> int:
        """How many fields are unknown or of another kind; counting ends at ``most``."""
        net, count = REGISTRY.message("NetParameter"), 0
        for piece in pieces:
            count += self._count(WireReader(piece), None, net, 0)
            if most is not None and count >= most:
                break
        return count

    def _of(self, kind: MessageType) -> Mapping[int, FieldType]:
        if kind.name not in self._fields:
            numbered = ((self._numbers.of_field(kind, field), field) for field in kind)
            self._fields[kind.name] = {n: field for n, field in numbered if n is not None}
        return self._fields[kind.name]

    def _count(
        self, reader: WireReader, message: memoryview | None, kind: MessageType, depth: int
    ) -> int:
        count = 0
        try:
            for item in reader.fields(message):
                field = self._of(kind).get(item.number)
                if field is None:
                    count += 1
                    continue
                target = kind.resolve(field)
                if isinstance(target, MessageType):
                    if isinstance(item.value, int) or item.wire_type != BYTES:
                        count += 1
                    elif depth < _DEEPEST and not target.free:
                        count += self._count(reader, item.value, target, depth + 1)
                elif not self._fits(field, target, item.wire_type, item.value):
                    count += 1
        except DamagedMessage:
            count += 1  # text, or another message, where a message is expected
        return count

    def _fits(
        self, field: FieldType, target: object, wire_type: int, value: int | memoryview
    ) -> bool:
        kind = self._numbers.kind_of(field)
        wanted = _WIRE.get(kind, VARINT)
        if isinstance(target, EnumType):
            known = self._numbers.of_values(target).values()
            if isinstance(value, int):
                return value in known
            return field.repeated
        if wire_type == wanted:
            return kind != "bool" or value in (0, 1)
        return field.repeated and wire_type == BYTES and wanted != BYTES  # packed
