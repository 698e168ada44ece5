"""What a schema is made of: scalar kinds, enums, fields and messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Label = Literal["optional", "required", "repeated"]

#: Inclusive ranges of the integer kinds.
INTEGER_RANGES: dict[str, tuple[int, int]] = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}

#: Kinds whose values are not messages or enums. "any" takes every untyped scalar.
SCALAR_KINDS = frozenset({*INTEGER_RANGES, "float", "double", "bool", "string", "bytes", "any"})

_ZEROS: dict[str, Any] = {"bool": False, "string": "", "bytes": b"", "float": 0.0, "double": 0.0}


@dataclass(frozen=True)
class EnumType:
    """Named numbers.

    Args:
        name: full name ("PoolingParameter.PoolMethod").
        numbers: value name -> number, in order of declaration.
        foreign: names that only another fork knows, without a number -> whether the name
            only steers how that fork runs (an engine) and can be ignored.
        foreign_numbers: the numbers of such names, for those that files write as numbers.
    """

    name: str
    numbers: dict[str, int]
    foreign: dict[str, bool] = field(default_factory=dict)
    foreign_numbers: dict[str, int] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Every accepted name, Caffe's own first."""
        return [*self.numbers, *self.foreign]

    def name_of(self, number: int) -> str | None:
        """The first name that has ``number``."""
        every = (*self.numbers.items(), *self.foreign_numbers.items())
        return next((name for name, n in every if n == number), None)

    def first(self) -> str:
        """Protobuf's default: the value that is declared first."""
        return next(iter(self.numbers), "")


@dataclass(frozen=True)
class FieldType:
    """One field of a message.

    Args:
        name: as it is spelled in prototxt.
        kind: a scalar kind, or the name of an enum or message.
        label: optional, required or repeated.
        number: protobuf field number; only Caffe's own fields have one.
        default: value of an unset optional field; None means protobuf's zero.
        packed: whether Caffe's binary form packs the values.
        execution_only: steers how another fork runs and means nothing here; named in a note.
        further: the repeated field that takes all values but the first, where the field is
            repeated in one fork and single in others.
        written: how it is spelled in text, if not like its name.
        added: another fork's than the message's own (set by the registry).
        owner: name of the message that holds the field (set by the registry).
    """

    name: str
    kind: str
    label: Label = "optional"
    number: int | None = None
    default: Any = None
    packed: bool = False
    execution_only: bool = False
    further: str = ""
    written: str = ""
    added: bool = False
    owner: str = ""

    @property
    def repeated(self) -> bool:
        return self.label == "repeated"


Lookup = Callable[[FieldType], "EnumType | MessageType | None"]


class MessageType:
    """A message: its fields by name. ``free`` ones accept any field, untyped.

    ``lookup`` finds the enum or message that a field refers to; None for scalars.
    """

    def __init__(
        self, name: str, lookup: Lookup, *, free: bool = False, native: bool = False
    ) -> None:
        self.name = name
        self.free = free
        #: Whether the message itself is Caffe's (fields of forks may be added to it).
        self.native = native
        self.fields: dict[str, FieldType] = {}
        self.enums: dict[str, EnumType] = {}
        self._lookup = lookup
        self._resolved: dict[str, EnumType | MessageType | None] = {}

    def __repr__(self) -> str:
        return f"MessageType({self.name!r})"

    def __iter__(self) -> Iterator[FieldType]:
        return iter(self.fields.values())

    def resolve(self, field_type: FieldType) -> EnumType | MessageType | None:
        """The enum or message a field refers to; None for scalars.

        Resolved late, so that messages may refer to each other in any order.
        """
        try:
            return self._resolved[field_type.name]
        except KeyError:
            found = self._lookup(field_type)
            self._resolved[field_type.name] = found
            return found

    def zero(self, field_type: FieldType) -> Any:
        """The value of an unset, non-message, non-repeated field."""
        if field_type.default is not None:
            return field_type.default
        if field_type.kind in SCALAR_KINDS:
            return _ZEROS.get(field_type.kind, 0)
        target = self.resolve(field_type)
        return target.first() if isinstance(target, EnumType) else None


def optional(
    kind: str,
    name: str,
    number: int | None = None,
    *,
    default: Any = None,
    execution_only: bool = False,
    further: str = "",
) -> FieldType:
    """Declare a field that stands at most once."""
    return FieldType(
        name, kind, "optional", number, default, execution_only=execution_only, further=further
    )


def required(kind: str, name: str, number: int | None = None) -> FieldType:
    """Declare a field that must stand exactly once."""
    return FieldType(name, kind, "required", number)


def repeated(
    kind: str,
    name: str,
    number: int | None = None,
    *,
    packed: bool = False,
    execution_only: bool = False,
    written: str = "",
) -> FieldType:
    """Declare a field that may stand any number of times."""
    return FieldType(
        name,
        kind,
        "repeated",
        number,
        packed=packed,
        execution_only=execution_only,
        written=written,
    )


def enum(name: str, /, **numbers: int) -> EnumType:
    """Declare an enum: ``enum("Phase", TRAIN=0, TEST=1)``."""
    return EnumType(name, dict(numbers))
