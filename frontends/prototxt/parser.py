"""Prototxt in, typed message out."""

from __future__ import annotations

import os
import re

from ir.errors import ErrorGroup, RoasteryError
from roastery.files.missing import cannot_read
from roastery.files.regular_file import open_regular

from .message import Message
from .syntax import SyntaxReader, TooManyErrors
from .tree import Entry, SourceText
from .typing_pass import TypingPass

#: Larger text files are refused: no net is so large, and reading one would take minutes.
MAX_BYTES = 64 * 2**20

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def parse_text(text: str, type_name: str, file: str = "<text>") -> Message:
    """Parse protobuf text format.

    Args:
        text: the prototxt.
        type_name: its message type, "NetParameter" for a net.
        file: the name that errors show.

    Raises:
        RoasteryError: the text is not a valid message. With several mistakes it is an
            ``ErrorGroup`` in the order of their lines.
    """
    source = SourceText(text.removeprefix("\ufeff"), file)
    control = _CONTROL.search(source.text)
    if control is not None:
        line = source.text.count("\n", 0, control.start()) + 1
        column = control.start() - source.text.rfind("\n", 0, control.start())
        raise RoasteryError(
            f"control character 0x{ord(control.group()):02x}; is this a binary file?",
            location=source.at(line, column),
            hint="an exported net is shown by `roastery summary` and `roastery inspect`, and run "
            "by `roastery run`"
            if source.text.startswith("PK\x03\x04")
            else None,
        )
    reader = SyntaxReader(source)
    errors = reader.errors
    entries: list[Entry] = []
    try:
        entries = reader.read()
        types = TypingPass(source, errors, unclosed=reader.unclosed, bare_words=reader.bare_paths)
        result = types.build(type_name, entries)
    except TooManyErrors:
        pass
    if not errors:
        return result
    errors.sort(key=lambda error: (error.location.line, error.location.column)
                if error.location else (0, 0))  # fmt: skip
    raise errors[0] if len(errors) == 1 else ErrorGroup(errors)


def parse_file(path: str | os.PathLike[str], type_name: str) -> Message:
    """Parse a prototxt file; see ``parse_text``.

    Raises:
        RoasteryError: the file is missing, unreadable, too large or not a valid message.
    """
    name = os.fspath(path)
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise RoasteryError(f"{name}: {size} bytes are too many for a prototxt file")
            content = file.read()
    except OSError as error:
        raise cannot_read("file", name, error) from None
    # Comments and paths come in any encoding; what is not UTF-8 passes through unharmed.
    text = content.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    return parse_text(text, type_name, file=name)
