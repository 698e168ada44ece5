"""The meta pages of an LMDB: which state of its tree was committed last."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .damage import LmdbError

HEADER = struct.Struct("<QHHHH")  # page number, pad, flags, lower, upper
_META = struct.Struct("<IIQQ")  # magic, version, address, map size
_TREE = struct.Struct("<IHHQQQQQ")  # pad, flags, depth, branch, leaf, overflow, entries, root
_END = struct.Struct("<QQ")  # last page, transaction
META_BYTES = HEADER.size + _META.size + 2 * _TREE.size + _END.size
TRANSACTION_OFFSET = META_BYTES - 8
_MAGIC = 0xBEEFC0DE
_META_PAGE = 8
_MOST_DEPTH = 32
_REVERSE_KEYS, _SEVERAL_VALUES, _INTEGER_KEYS = 2, 4, 8
NO_PAGE = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True)
class Meta:
    """A committed state: its transaction, its last page, and the main tree.

    Attributes:
        depth: levels of the tree, the leaves included; root: its page, or NO_PAGE.
        entries: how many records the tree has.
    """

    page_size: int
    map_bytes: int
    transaction: int
    last_page: int
    flags: int
    depth: int
    entries: int
    root: int

    def check(self) -> None:
        """Refuse trees that are no plain records in the order of their keys' bytes."""
        if self.flags & _SEVERAL_VALUES:
            raise LmdbError("it holds several values per key; an image database holds one")
        if self.flags & (_REVERSE_KEYS | _INTEGER_KEYS):
            raise LmdbError("its keys are ordered as numbers or backwards, not as texts")
        if self.depth > _MOST_DEPTH:
            raise LmdbError(f"it says that its tree has {self.depth} levels")
        if (self.root == NO_PAGE) != (self.entries == 0):
            raise LmdbError(f"it says that it has {self.entries} records, and its tree says else")


def parse_meta(data: bytes, number: int) -> Meta:
    """A meta page from its first META_BYTES. Raises LmdbError where it is none."""
    flags = HEADER.unpack_from(data)[2]
    magic, version, _, map_bytes = _META.unpack_from(data, HEADER.size)
    if not flags & _META_PAGE or magic != _MAGIC:
        raise LmdbError(
            "page 1 is damaged: it is no meta page"
            if number
            else "it does not begin as an LMDB file does"
        )
    if version != 1:
        raise LmdbError(f"it is of LMDB data version {version}; version 1 is read")
    at = HEADER.size + _META.size
    page_size = _TREE.unpack_from(data, at)[0]
    _, tree_flags, depth, _, _, _, entries, root = _TREE.unpack_from(data, at + _TREE.size)
    last_page, transaction = _END.unpack_from(data, at + 2 * _TREE.size)
    if page_size & (page_size - 1) or not 512 <= page_size <= 65536:
        raise LmdbError(f"it says that a page has {page_size} bytes")
    return Meta(page_size, map_bytes, transaction, last_page, tree_flags, depth, entries, root)
