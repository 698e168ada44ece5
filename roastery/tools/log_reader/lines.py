"""The lines of a log file, whatever wrote it."""

from __future__ import annotations

import codecs
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ir.printable import printable

LOGGER = logging.getLogger("roastery.logs")

#: No line of a log is longer; what is would fill the memory.
LONGEST = 1 << 24

#: PowerShell writes such files when it redirects.
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def log_lines(file: BinaryIO, path: str | Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers from 1, without their ends ("\\n", "\\r\\n" or "\\r").

    ``path``: of the file, for warnings.

    Bytes that are no text become surrogates, so that names differ where their bytes do.
    """
    start = file.read(2)
    file.seek(0)
    encoding = "utf-16" if start in _UTF16 else "utf-8-sig"
    errors = "replace" if start in _UTF16 else "surrogateescape"
    text = io.TextIOWrapper(file, encoding, errors)
    number = 0
    while line := text.readline(LONGEST):
        number += 1
        if len(line) == LONGEST and not line.endswith("\n"):
            what = "%s:%d: passed over a line of %d characters or more"
            LOGGER.warning(what, printable(str(path)), number, LONGEST)
            while line and not line.endswith("\n"):
                line = text.readline(LONGEST)
            continue
        yield number, line.rstrip("\n")
