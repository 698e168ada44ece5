"""All declared messages and enums, by name.

Caffe's own stand in ``caffe_*.py``, what forks added in ``forks/``. A layer that is
neither declares its parameter message beside its lowering::

    declare_message("WobbleParameter", optional("float", "strength", default=1.0))
    extend_message("LayerParameter", optional("WobbleParameter", "wobble_param"))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .types import SCALAR_KINDS, EnumType, FieldType, MessageType


class SchemaError(ValueError):
    """A declaration that contradicts another one or refers to nothing."""


class Registry:
    """Messages and top-level enums, by name."""

    def __init__(self) -> None:
        self.messages: dict[str, MessageType] = {}
        self.enums: dict[str, EnumType] = {}

    def lookup(self, field_type: FieldType) -> EnumType | MessageType | None:
        """What ``field_type.kind`` names, seen from the message that owns the field."""
        kind = field_type.kind
        if kind in SCALAR_KINDS:
            return None
        owner = self.messages.get(field_type.owner)
        found: EnumType | MessageType | None = owner.enums.get(kind) if owner else None
        if found is None and "." in kind:
            outer, _, inner = kind.rpartition(".")
            found = self.messages[outer].enums.get(inner) if outer in self.messages else None
        found = found or self.messages.get(kind) or self.enums.get(kind)
        if found is None:
            place = f"{field_type.owner}.{field_type.name}"
            raise SchemaError(f"{place}: there is no scalar, enum or message `{kind}`")
        return found

    def message(self, name: str) -> MessageType:
        """The message called ``name``."""
        try:
            return self.messages[name]
        except KeyError:
            raise SchemaError(f"there is no message `{name}`") from None

    def declare(
        self,
        name: str,
        members: Iterable[FieldType | EnumType],
        *,
        free: bool = False,
        native: bool = False,
    ) -> MessageType:
        """Add a message, or merge fields into one that another fork declared before."""
        found = self.messages.get(name)
        if found is None:
            found = MessageType(name, self.lookup, free=free, native=native)
            self.messages[name] = found
        elif native or found.free != free:
            raise SchemaError(f"message `{name}` is declared twice")
        for member in members:
            if isinstance(member, EnumType):
                self._add_enum(found, member)
            else:
                self._add_field(found, member)
        return found

    def _add_enum(self, owner: MessageType, declared: EnumType) -> None:
        full = EnumType(f"{owner.name}.{declared.name}", declared.numbers)
        present = owner.enums.setdefault(declared.name, full)
        if present.numbers != full.numbers:
            raise SchemaError(f"enum `{full.name}` is declared twice, with other values")

    def _add_field(self, owner: MessageType, declared: FieldType) -> None:
        full = replace(declared, owner=owner.name)
        present = owner.fields.setdefault(declared.name, full)
        if present.added and not full.added:  # what its layer declares is its own
            present = owner.fields[declared.name] = replace(present, added=False)
        if (present.kind, present.repeated) != (full.kind, full.repeated):
            raise SchemaError(
                f"field `{owner.name}.{full.name}` is declared twice: "
                f"{present.label} {present.kind} and {full.label} {full.kind}"
            )


REGISTRY = Registry()


def native_message(name: str, *members: FieldType | EnumType) -> MessageType:
    """Declare a message with a binary form: one of Caffe's own, or of records of a fork."""
    return REGISTRY.declare(name, members, native=True)


def declare_message(name: str, *members: FieldType | EnumType, free: bool = False) -> MessageType:
    """Declare a message that is not Caffe's.

    Declaring it again adds fields, since forks gave different messages one name.

    Args:
        name: "PermuteParameter".
        members: made by ``optional``, ``required``, ``repeated`` and ``enum``.
        free: accept every field, untyped.

    Raises:
        SchemaError: a field of that name exists with another kind or label.
    """
    return REGISTRY.declare(name, members, free=free)


def extend_message(
    name: str, *members: FieldType | EnumType, declared_later: bool = False
) -> MessageType:
    """Add fields (known by name only) to a message, which its layer may not honour.

    ``declared_later``: a layer declares the message beside its lowering.
    """
    if declared_later and name not in REGISTRY.messages:
        REGISTRY.declare(name, ())
    found = REGISTRY.message(name)
    added = [m if isinstance(m, EnumType) else replace(m, added=True) for m in members]
    return REGISTRY.declare(name, added, free=found.free)


def declare_enum(declared: EnumType) -> EnumType:
    """Declare an enum outside any message."""
    present = REGISTRY.enums.setdefault(declared.name, declared)
    if present.numbers != declared.numbers:
        raise SchemaError(f"enum `{declared.name}` is declared twice, with other values")
    return present


def extend_enum(name: str, /, *foreign: str, execution_only: bool = False, **numbered: int) -> None:
    """Accept more value names in "Message.Enum": names that only other forks know.

    Args:
        name: the enum, with its message unless it is a top-level one.
        foreign: the names.
        execution_only: they only steer how the fork runs, like the name of an engine.
        numbered: further ones, which text also gives as numbers.
    """
    owner, _, inner = name.rpartition(".")
    target = REGISTRY.message(owner).enums[inner] if owner else REGISTRY.enums[inner]
    for value in (*foreign, *numbered):
        if value not in target.numbers:
            target.foreign[value] = execution_only
    target.foreign_numbers.update(numbered)


def message_type(name: str) -> MessageType:
    """The message called ``name``.

    Raises:
        SchemaError: there is none.
    """
    return REGISTRY.message(name)
