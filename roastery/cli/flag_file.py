"""Files of flags (``--flagfile``), as gflags reads them. gflags: src/gflags.cc, ProcessOptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from ir.errors import RoasteryError

from ..files.missing import cannot_read
from ..files.regular_file import check_regular
from ..files.special_output import is_pipe
from .known_flags import KnownFlags
from .said_elsewhere import SaidElsewhere

_LARGEST = 1 << 20


def flags_of_file(
    path: str, programs: tuple[str, ...], known: KnownFlags, note: Callable[[str], None]
) -> Iterator[SaidElsewhere]:
    """The flags of a file, in its order.

    As in gflags those that are not known, or have no value, are passed over: a file may be for
    several programs. Flags that follow a line of names are those programs' only.

    Args:
        programs: the names of the one that runs; patterns such as ``*caffe`` match them.
        note: is told what is passed over.

    Raises RoasteryError for a file that cannot be read.
    """
    for number, line in _lines(path, programs):
        place = f"{path}:{number}"
        name, _, text = line.lstrip("-").partition("=")
        name = name.strip().replace("-", "_")
        flag, value = known.meant(name, text if "=" in line else None)
        if flag is None:
            note(f"{place}: {line.partition('=')[0]} is no flag of {known.command}")
        elif value is None and flag.kind != "bool":
            note(f"{place}: {line} has no value: --NAME=VALUE")
        else:
            yield SaidElsewhere(place, name, flag, value)


def _lines(path: str, programs: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """The lines that hold flags for these programs, with their numbers."""
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
