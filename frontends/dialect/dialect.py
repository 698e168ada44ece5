"""A dialect: a fork's numbers of fields and of enum values, where they are not Caffe's.

Forks took numbers for fields of their own without asking each other, so that the same bytes mean
different fields. Names are the schema's (:mod:`frontends.schema`); a dialect adds numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Dialect:
    """Whose field numbers a binary file has, and whose meaning text has where forks differ.

    Args:
        name: as ``--dialect`` takes it. title: as people know the fork.
        numbers: by the name of a message or enum, the numbers of its fields or values.
        kinds: by (message, field), the kind of scalar that the fork writes, if not the schema's.
        reads_only: a tool that reads others' files: no file is taken for its own.
    """

    name: str
    title: str
    numbers: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    kinds: Mapping[tuple[str, str], str] = field(default_factory=dict)
    reads_only: bool = False

    def of(self, name: str) -> Mapping[str, int]:
        """The numbers of a message's fields or an enum's values that are not Caffe's."""
        return self.numbers.get(name, {})


DIALECTS: dict[str, Dialect] = {"bvlc": Dialect("bvlc", "Caffe")}
"""All that are declared."""


def declare_dialect(
    name: str,
    title: str,
    table: str,
    *,
    extends: Dialect | None = None,
    reads_only: bool = False,
) -> Dialect:
    """Add a dialect.

    Args:
        table: a message or enum on each line, then ``field=number``, or ``field=number:kind``;
            indented lines go on.
        extends: the fork that this one grew from. Its numbers hold, but for those that the table
            gives to another field.
    """
    numbers: dict[str, dict[str, int]] = {}
    kinds: dict[tuple[str, str], str] = {}
    owner = ""
    for line in table.strip().splitlines():
        words = line.split()
        if not line[0].isspace():
            owner = words.pop(0)
        for word in words:
            field_name, _, value = word.partition("=")
            number, _, kind = value.partition(":")
            numbers.setdefault(owner, {})[field_name] = int(number)
            if kind:
                kinds[owner, field_name] = kind
    if extends is not None:
        numbers = _extended(extends.numbers, numbers)
        kinds = {**extends.kinds, **kinds}
    DIALECTS[name] = Dialect(name, title, numbers, kinds, reads_only)
    return DIALECTS[name]


def _extended(
    base: Mapping[str, Mapping[str, int]], own: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """The numbers of a fork of a fork; of a message, those that it gave away are not the base's."""
    extended = {owner: dict(fields) for owner, fields in own.items()}
    for owner, fields in base.items():
        mine = extended.setdefault(owner, {})
        taken = set(mine.values())
        for field_name, number in fields.items():
            if number not in taken:
                mine.setdefault(field_name, number)
    return extended
