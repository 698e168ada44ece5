"""What was probably meant by a field that a message does not have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from frontends.schema.caffe_legacy import V1_LAYER_TYPES
from frontends.schema.types import FieldType, MessageType

from .message import Message
from .suggestions import did_you_mean
from .tree import Block, Value

_SUFFIX = "_param"


def hint(kind: MessageType, name: str) -> str | None:
    """A field of ``kind`` with a similar name, or the sub-message that has the field."""
    found = [
        (field.name, field.number is not None and target.fields[name].number is not None)
        for field in kind
        if isinstance(target := kind.resolve(field), MessageType) and name in target.fields
    ]
    # Where Caffe itself has the field, no fork's is meant.
    holders = [holder for holder, own in found if own] or [holder for holder, _ in found]
    if 1 <= len(holders) <= 4:
        return f"`{name}` belongs inside {' or '.join(holders)}"
    if name.endswith(_SUFFIX):
        # Compared without what all of them share.
        stems = {field.removesuffix(_SUFFIX): field for field in kind.fields}
        stem = did_you_mean(name.removesuffix(_SUFFIX), stems)
        near = stems[stem] if stem is not None else _same_letters(name, kind.fields)
    else:
        near = did_you_mean(name, kind.fields)
    if near is not None:
        return f"did you mean `{near}`?"
    if kind.name == "LayerParameter" and name.endswith(_SUFFIX):
        return "a layer of your own takes free parameters in `user_param { ... }`"
    return None


def _same_letters(name: str, known: Iterable[str]) -> str | None:
    """A name of the same letters in another order; of short ones no two are much alike else."""
    return next((other for other in known if sorted(other) == sorted(name)), None)


def enclosing_owner(enclosing: Sequence[Message], name: str, value: Value) -> Message | None:
    """The nearest message around that has the field, where a brace may be missing.

    Many messages share short names (`name`, `type`, `scale`), so only a field that can
    not be a slip in the inner message counts: a block, or one of a layer's own fields.
    """
    for message in reversed(enclosing):
        field = message.message_type.fields.get(name)
        if field is None:
            continue
        is_message = isinstance(message.message_type.resolve(field), MessageType)
        if is_message == isinstance(value, Block):
            return message
    return None


def old_layer_type(message: Message, field: FieldType, word: str) -> str | None:
    """What to write for `type: CONVOLUTION` in a layer of the current format."""
    if message.message_type.name != "LayerParameter" or field.name != "type":
        return None
    current = V1_LAYER_TYPES.get(word)
    return f'write type: "{current}"' if current else None
