"""A typed message: what a prototxt says, with the place of every field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from frontends.schema.registry import message_type
from frontends.schema.types import EnumType, FieldType, MessageType
from frontends.schema.values import ValueMistake, check_enum, check_scalar
from ir.errors import RoasteryError
from ir.location import Location

from .note import Note
from .printer import to_text

_NOWHERE = Location()


class Message:
    """One message of the schema.

    A field is read as an attribute (or ``message["type"]``): its value, or the schema's
    default. A repeated field gives a list (a copy: change it through ``add`` and ``set``),
    an enum the name of its value ("MAX"), an unset sub-message an empty read-only one.

    Attributes:
        message_type: the schema's type (``type`` is a field of layers, fillers and solvers).
        location: where the message begins.
        notes: remarks made while parsing; filled on the outermost message only.
    """

    __slots__ = ("_frozen", "_locations", "_values", "location", "message_type", "notes")

    def __init__(self, kind: MessageType | str, location: Location = _NOWHERE) -> None:
        self.message_type = message_type(kind) if isinstance(kind, str) else kind
        self.location = location
        self.notes: list[Note] = []
        self._values: dict[str, Any] = {}
        self._locations: dict[str, list[Location]] = {}
        self._frozen = False

    # -- reading ---------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name in Message.__slots__:  # of a copy that is being made
            raise AttributeError(name)
        try:
            value = self._values[name]
        except KeyError:
            if name.startswith("__"):
                raise AttributeError(name) from None
            return self._default(name)
        return list(value) if isinstance(value, list) else value

    __getitem__ = __getattr__

    def _default(self, name: str) -> Any:
        field = self.field(name)
        if field.repeated:
            return []
        target = self.message_type.resolve(field)
        if isinstance(target, MessageType):
            empty = Message(target, self.location)
            empty._frozen = True
            return empty
        return self.message_type.zero(field)

    def get(self, name: str, default: Any = None) -> Any:
        """The value if the field is set, else ``default`` (not the schema's)."""
        return self[name] if name in self._values else default

    def field(self, name: str) -> FieldType:
        """The schema of a field.

        Raises:
            AttributeError: the message has none of that name.
        """
        try:
            return self.message_type.fields[name]
        except KeyError:
            raise AttributeError(f"{self.message_type.name} has no field `{name}`") from None

    def has(self, name: str) -> bool:
        """Whether the field is set (a repeated one: holds at least one value)."""
        if name in self._values:
            return True
        if not self.message_type.free:
            self.field(name)
        return False

    def fields_set(self) -> list[str]:
        """Names of the fields that are set, in the order they were set first."""
        return list(self._values)

    def foreign_fields(self) -> list[str]:
        """Names of set fields that only forks have and that change what is computed.

        Who gives the message its meaning must honour or refuse each; fields that merely
        steer another fork's execution are not among them. In a message that is not Caffe's
        every field is the layer's own but those that yet another fork added.
        """
        fields, native = self.message_type.fields, self.message_type.native
        return [
            name
            for name in self._values
            if name in fields
            and (fields[name].number is None if native else fields[name].added)
            and not fields[name].execution_only
        ]

    def location_of(self, name: str, index: int = 0) -> Location:
        """Where a field (its ``index``-th value) stands; the message's place if it doesn't."""
        places = self._locations.get(name, ())
        found = places[index] if -len(places) <= index < len(places) else self.location
        return replace(found, field=name)

    def walk(self) -> Iterator[Message]:
        """This message and all below it."""
        yield self
        for value in self._values.values():
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, Message):
                    yield from item.walk()

    # -- writing ---------------------------------------------------------------------

    def set(self, name: str, value: Any, location: Location | None = None) -> None:
        """Set a field; a repeated one takes an iterable of values.

        Raises:
            AttributeError: there is no such field.
            RoasteryError: the field cannot hold the value.
        """
        if self.message_type.free and name not in self.message_type.fields:
            if isinstance(value, list) and not value:
                self.clear(name)
                return
            checked = value
        else:
            field = self.field(name)
            if field.repeated:
                self.clear(name)
                for item in value:
                    self.add(name, item, location)
                return
            checked = self._checked(field, value)
        self._writable()
        self._values[name] = checked
        self._locations[name] = [location or self._place_of(checked)]

    def add(self, name: str, value: Any = None, location: Location | None = None) -> Any:
        """Append to a repeated field; without a value append an empty message.

        Returns what was appended.
        """
        field = self.field(name)
        if not field.repeated:
            raise TypeError(f"{self.message_type.name}.{name} is not repeated")
        if value is None:
            value = self._new_child(field, location)
        checked = self._checked(field, value)
        self._writable()
        self._values.setdefault(name, []).append(checked)
        self._locations.setdefault(name, []).append(location or self._place_of(checked))
        return checked

    def mutable(self, name: str, location: Location | None = None) -> Message:
        """The sub-message of a singular field, made first if it is not set."""
        if name not in self._values:
            self.set(name, self._new_child(self.field(name), location), location)
        value = self._values[name]
        if not isinstance(value, Message):
            raise TypeError(f"{self.message_type.name}.{name} is not a single message")
        return value

    def clear(self, name: str) -> None:
        """Unset a field."""
        self._writable()
        if not self.message_type.free:
            self.field(name)
        self._values.pop(name, None)
        self._locations.pop(name, None)

    def copy(self) -> Message:
        """A deep copy, places included."""
        result = Message(self.message_type, self.location)
        result.notes = list(self.notes)
        for name, value in self._values.items():
            result._values[name] = _copied(value)
            result._locations[name] = list(self._locations[name])
        return result

    def replaced(self, name: str, values: Iterable[Any]) -> Message:
        """This message with other values of a repeated field; sub-messages are shared, not copied.

        Values that are messages keep their own places.
        """
        result = Message(self.message_type, self.location)
        result.notes = list(self.notes)
        for other, value in self._values.items():
            if other != name:
                result._values[other] = list(value) if isinstance(value, list) else value
                result._locations[other] = list(self._locations[other])
        for value in values:
            result.add(name, value)
        return result

    def copy_field(self, source: Message, name: str, to: str | None = None) -> None:
        """Copy a field of ``source``, places included; ``to`` renames it.

        Where the target is repeated and the source is not, the value is appended.
        """
        if name not in source._values:
            return
        target = to or name
        value = source._values[name]
        places = source._locations[name]
        if isinstance(value, list) or not self.field(target).repeated:
            self.clear(target)
        if self.field(target).repeated:
            for item, place in zip(_as_list(value), places, strict=True):
                self.add(target, _copied(item), place)
        else:
            self.set(target, _copied(value), places[0])

    # -- comparing and printing --------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        if self.message_type.name != other.message_type.name:
            return False
        mine, theirs = self._values, other._values
        return mine.keys() == theirs.keys() and all(
            _equal(value, theirs[name]) for name, value in mine.items()
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{self.message_type.name} {', '.join(self._values) or 'empty'}>"

    def __str__(self) -> str:
        return to_text(self)

    # -- inside ------------------------------------------------------------------------

    def _writable(self) -> None:
        if self._frozen:
            raise TypeError(
                f"this {self.message_type.name} is a default and read-only; "
                "make it with `mutable` on the message that holds it"
            )

    def _new_child(self, field: FieldType, location: Location | None) -> Message:
        target = self.message_type.resolve(field)
        if not isinstance(target, MessageType):
            raise TypeError(f"{self.message_type.name}.{field.name} is not a message")
        return Message(target, location or self.location)

    def _checked(self, field: FieldType, value: Any) -> Any:
        target = self.message_type.resolve(field)
        try:
            if target is None:
                return check_scalar(field, value)
            if isinstance(target, EnumType):
                return check_enum(field, target, value)
        except ValueMistake as mistake:
            raise RoasteryError(str(mistake), location=self.location or None) from None
        if isinstance(value, Message) and value.message_type is target:
            return value
        raise RoasteryError(
            f"`{field.name}` takes a {target.name} message, not {value!r}", location=self.location
        )

    def _place_of(self, value: Any) -> Location:
        return value.location if isinstance(value, Message) else self.location

    def _put(self, name: str, value: Any, location: Location, *, append: bool) -> None:
        """Store a value that is known to fit (the parser checks literals itself)."""
        if append:
            self._values.setdefault(name, []).append(value)
            self._locations.setdefault(name, []).append(location)
        else:
            self._values[name] = value
            self._locations[name] = [location]

    def _put_free(self, name: str, value: Any, location: Location, *, listed: bool) -> None:
        """Store a value of a free block: the second one, or a list, makes the field a list."""
        present = self._values.get(name)
        if present is None and not listed:
            self._values[name] = value
        elif isinstance(present, list):
            present.append(value)
        else:
            self._values[name] = [value] if present is None else [present, value]
        self._locations.setdefault(name, []).append(location)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _copied(value: Any) -> Any:
    if isinstance(value, Message):
        return value.copy()
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    if type(a) is not type(b):
        return False
    return bool(a == b) or (a != a and b != b)  # NaN equals NaN: content is compared
