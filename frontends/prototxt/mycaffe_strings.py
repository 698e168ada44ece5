"""Paths and words as MyCaffe writes them, which protobuf cannot read.

Its parser takes a value up to the next space, with quotes or without, and knows no escapes:
`source: C:\\data\\train`, `source: "$ProgramData$\\MyCaffe\\train"`.
MyCaffe: MyCaffe.basecode/RawProto.cs.
"""

from __future__ import annotations

import re

from .literals import Mistake, unquote
from .tree import Scalar

_START = re.compile(r"[A-Za-z]:\\|\$\w+\$\\")


def mycaffes_string(scalar: Scalar, *, bare_words: bool) -> str | None:
    """The string that a value is for MyCaffe; None: protobuf reads it, or it is a mistake.

    A string in quotes is one where it begins like a path and has an escape that does not exist.

    Args:
        bare_words: words need no quotes: the file has paths without them, which nobody else reads.
    """
    token = scalar.tokens[-1]
    if token.type == "BARE_PATH" or (
        bare_words and token.type == "NAME" and len(scalar.tokens) == 1
    ):
        return str(token)
    if token.type != "STRING" or len(scalar.tokens) > 1 or not _START.match(token, 1):
        return None
    try:
        unquote(token)
    except Mistake:
        return str(token[1:-1])
    return None
