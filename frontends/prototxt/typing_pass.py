"""Tree to typed message: every entry is looked up in the schema and its value checked."""

from __future__ import annotations

from frontends.schema.registry import message_type
from frontends.schema.types import EnumType, FieldType, MessageType
from frontends.schema.values import ValueMistake
from ir.errors import RoasteryError
from ir.location import Location

from . import unknown_field
from .literals import Mistake, free_value, literal_value
from .message import Message
from .mycaffe_strings import mycaffes_string
from .note import Note
from .suggestions import did_you_mean
from .syntax import MAX_ERRORS, TooManyErrors
from .tree import Block, Entry, Items, Scalar, SourceText

_LAYER_TYPES = ("LayerParameter", "V1LayerParameter")
_UNREADABLE = frozenset({"MISSING", "UNREADABLE"})


class TypingPass:
    """Builds the message of one file.

    Args:
        source: the file.
        errors: where to add what is wrong (it may hold syntax errors already).
        unclosed: a missing brace was reported already.
        bare_words: strings may be words without quotes, as MyCaffe takes them.
    """

    def __init__(
        self,
        source: SourceText,
        errors: list[RoasteryError],
        *,
        unclosed: bool,
        bare_words: bool = False,
    ) -> None:
        self._source = source
        self._errors = errors
        self._broken = {(e.location.line, e.location.column) for e in errors if e.location}
        self._unclosed = unclosed
        self._enclosing: list[Message] = []
        self._layer = ""
        self._ignored: dict[str, tuple[Location, int]] = {}
        self._bare_words = bare_words
        self._mycaffes: list[Location] = []

    def build(self, type_name: str, entries: list[Entry]) -> Message:
        """The message of type ``type_name`` that the entries make."""
        root = Message(message_type(type_name), self._source.at(1, 1))
        self._fill(root, entries)
        for text, (location, count) in self._ignored.items():
            times = f" ({count} times)" if count > 1 else ""
            root.notes.append(
                Note(f"`{text}`{times} only steers how another fork of Caffe runs; it is ignored",
                     location)
            )  # fmt: skip
        if self._mycaffes:
            root.notes.append(
                Note(f"{len(self._mycaffes)} string(s) are taken as they stand, without quotes or "
                     "with backslashes, as MyCaffe reads them; Caffe cannot read this file",
                     self._mycaffes[0])
            )  # fmt: skip
        return root

    # -- messages ----------------------------------------------------------------------

    def _fill(self, message: Message, entries: list[Entry]) -> None:
        kind = message.message_type
        outer_layer = self._layer
        if kind.name in _LAYER_TYPES:
            self._layer = _name_of_layer(entries) or outer_layer
            message.location = self._source.at(
                message.location.line, message.location.column, self._layer
            )
        self._enclosing.append(message)
        for entry in entries:
            field = kind.fields.get(entry.name)
            if field is not None:
                self._take(message, field, entry)
            elif kind.free and entry.name.type == "NAME":
                self._take_free(message, entry)
            else:
                self._unknown(message, entry)
        self._enclosing.pop()
        # With a wrong value, or another name, too: said already.
        given = {str(entry.name) for entry in entries}
        given |= {did_you_mean(name, kind.fields) or name for name in given - kind.fields.keys()}
        for field in kind:
            if field.label == "required" and field.name not in given:
                self._report(
                    f"{kind.name} needs a field `{field.name}`", message.location,
                    f"add {field.name}: ...",
                )  # fmt: skip
        self._layer = outer_layer

    def _take(self, message: Message, field: FieldType, entry: Entry) -> None:
        """Store one entry whose field is known."""
        place = self._source.place(entry.name, self._layer)
        if field.further and message.has(field.name):
            field = message.message_type.fields[field.further]
        if field.repeated:
            values = entry.value.items if isinstance(entry.value, Items) else [entry.value]
        elif isinstance(entry.value, Items):
            self._report(f"`{field.name}` takes one value, not a list", place)
            return
        else:
            values = [entry.value]
            if message.has(field.name):
                first = message.location_of(field.name)
                self._report(
                    f"`{field.name}` stands twice, but {message.message_type.name} takes one",
                    place,
                    f"the first is in line {first.line}",
                )
                return
        target = message.message_type.resolve(field)
        if field.execution_only:
            self._ignore(field.name, place)
        for value in values:
            if isinstance(target, MessageType):
                self._take_block(message, field, target, value, place)
            else:
                self._take_scalar(message, field, target, value, place)

    def _take_block(
        self,
        message: Message,
        field: FieldType,
        target: MessageType,
        value: Scalar | Block,
        place: Location,
    ) -> None:
        if not isinstance(value, Block):
            if value.tokens[-1].type not in _UNREADABLE:
                self._report(
                    f"`{field.name}` takes a block, not {' '.join(value.tokens)}",
                    place,
                    f"write {field.name} {{ ... }}",
                )
            return
        child = Message(target, place)
        # Stored before it is filled, so that what a missing brace puts in keeps file order.
        message._put(field.name, child, place, append=field.repeated)
        self._fill(child, value.entries)
        message._locations[field.name][-1] = child.location

    def _take_scalar(
        self,
        message: Message,
        field: FieldType,
        target: EnumType | None,
        value: Scalar | Block,
        place: Location,
    ) -> None:
        if isinstance(value, Block):
            self._report(f"`{field.name}` takes a value, not a block", place)
            return
        last = value.tokens[-1]
        # A value that something unreadable follows at once is a part of it: data/train.
        if last.type in _UNREADABLE or (last.end_line, last.end_column) in self._broken:
            return
        mycaffes = self._as_mycaffe(value, self._bare_words) if field.kind == "string" else None
        try:
            result = literal_value(field, target, value) if mycaffes is None else mycaffes
        except ValueMistake as mistake:
            hint = mistake.hint if isinstance(mistake, Mistake) else None
            if last.type == "NAME":
                hint = unknown_field.old_layer_type(message, field, last) or hint
            where = self._source.place(value.tokens[0], self._layer)
            self._report(str(mistake), where, hint)
            return
        if target is not None and target.foreign.get(result):
            self._ignore(f"{field.name}: {result}", place)
        message._put(field.name, result, place, append=field.repeated)

    def _take_free(self, message: Message, entry: Entry) -> None:
        """Store an entry of a block that takes every field."""
        name = str(entry.name)
        place = self._source.place(entry.name, self._layer)
        value = entry.value
        listed = isinstance(value, Items)
        for item in value.items if isinstance(value, Items) else [value]:
            if isinstance(item, Block):
                child = Message(message_type("FreeBlock"), place)
                self._fill(child, item.entries)
                message._put_free(name, child, place, listed=listed)
            elif item.tokens[-1].type not in _UNREADABLE:
                mycaffes = self._as_mycaffe(item, False)  # a word is a string here anyway
                try:
                    free = free_value(item) if mycaffes is None else mycaffes
                    message._put_free(name, free, place, listed=listed)
                except Mistake as mistake:
                    self._report(str(mistake), place, mistake.hint)

    def _as_mycaffe(self, value: Scalar, bare_words: bool) -> str | None:
        """A string that only MyCaffe can read."""
        found = mycaffes_string(value, bare_words=bare_words)
        if found is not None:
            self._mycaffes.append(self._source.place(value.tokens[0], self._layer))
        return found

    def _unknown(self, message: Message, entry: Entry) -> None:
        """Report a field that the message does not have."""
        name = str(entry.name)
        place = self._source.place(entry.name, self._layer)
        if entry.name.type == "EXTENSION":
            self._report(f"extensions such as {name} are not supported", place)
            return
        owner = unknown_field.enclosing_owner(self._enclosing[:-1], name, entry.value)
        if owner is None:
            hint = unknown_field.hint(message.message_type, name)
            self._report(f"{message.message_type.name} has no field `{name}`", place, hint)
            return
        # The entry belongs further out: a brace is missing before it. Reported once.
        if not self._unclosed:
            self._unclosed = True
            self._report(
                f"{message.message_type.name} has no field `{name}`", place,
                f"{owner.message_type.name} has: is a `}}` missing before this line?",
            )  # fmt: skip
        inside = self._enclosing
        self._enclosing = inside[: inside.index(owner) + 1]
        field = owner.message_type.fields[name]
        if field.repeated or not owner.has(name):
            self._take(owner, field, entry)
        self._enclosing = inside

    # -- reports -----------------------------------------------------------------------

    def _ignore(self, text: str, place: Location) -> None:
        first, count = self._ignored.get(text, (place, 0))
        self._ignored[text] = (first, count + 1)

    def _report(self, message: str, location: Location, hint: str | None = None) -> None:
        self._errors.append(RoasteryError(message, location=location, hint=hint))
        if len(self._errors) >= 2 * MAX_ERRORS:
            raise TooManyErrors


def _name_of_layer(entries: list[Entry]) -> str:
    for entry in entries:
        if entry.name == "name" and isinstance(entry.value, Scalar):
            token = entry.value.tokens[0]
            return str(token[1:-1]) if token.type == "STRING" else ""
        if entry.name == "layer" and isinstance(entry.value, Block):
            return _name_of_layer(entry.value.entries)  # V0 layers stand inside V1 ones
    return ""
