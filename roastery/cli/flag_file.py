"""Files of flags (``--flagfile``), as gflags reads them. gflags: src/gflags.cc, ProcessOptions."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from ir.errors import RoasteryError

from ..files.missing import cannot_read
from ..files.regular_file import check_regular
from ..files.special_output import is_pipe

_LARGEST = 1 << 20


def flag_lines(path: str, programs: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """The flags of a file, with the numbers of their lines.

    Flags that follow a line of names are those programs' only.

    Args:
        programs: the names of the one that runs; patterns such as ``*caffe`` match them.

    Raises RoasteryError for a file that cannot be read.
    """
    relevant, named = True, False
    for number, line in enumerate(_text(path).splitlines(), 1):
        word = line.strip()
        if not word or word.startswith("#"):
            continue
        if word.startswith("-"):
            named = False
            if relevant:
                yield number, word
            continue
        # Names may go on over several lines.
        relevant = (relevant and named) or any(
            fnmatchcase(program, pattern) for pattern in word.split() for program in programs
        )
        named = True


def _text(path: str) -> str:
    try:
        if not is_pipe(path):
            check_regular(path)
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        raise cannot_read("flag file", path, error) from None
    if len(data) > _LARGEST:
        raise RoasteryError(f"the flag file '{path}' has more than {_LARGEST} bytes")
    return data.decode("utf-8", "surrogateescape")
