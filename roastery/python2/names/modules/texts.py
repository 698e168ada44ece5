"""``string``, ``StringIO``, ``csv``, ``json``, ``HTMLParser``."""

from __future__ import annotations

import codecs
import csv
import io
import json
import string
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from ..byte_string import text_of
from ..files import OldFile
from ..memory_files import StringIO


def string_io() -> dict[str, Any]:
    return {"StringIO": StringIO, "InputType": StringIO, "OutputType": StringIO}


def _maketrans(old: Any, new: Any) -> str:
    table = [chr(number) for number in range(256)]
    for one, two in zip(str(old), str(new), strict=True):
        table[ord(one)] = two
    return "".join(table)


def string_names(real: ModuleType) -> dict[str, Any]:
    methods = (
        "capitalize", "center", "count", "expandtabs", "find", "index", "ljust", "lower", "lstrip",
        "replace", "rfind", "rindex", "rjust", "rsplit", "rstrip", "split", "splitlines", "strip",
        "swapcase", "upper", "zfill",
    )  # fmt: skip
    functions = {name: _function(name) for name in methods}
    return functions | {
        "atof": float,
        "atoi": lambda text, base=10: int(text, base),
        "atol": lambda text, base=10: int(text, base),
        "join": lambda words, sep=" ": sep.join(words),
        "joinfields": lambda words, sep=" ": sep.join(words),
        "splitfields": _function("split"),
        "letters": string.ascii_letters,
        "lowercase": string.ascii_lowercase,
        "uppercase": string.ascii_uppercase,
        "maketrans": _maketrans,
        "translate": _translate,
    }


def _translate(text: Any, table: Any, letters: Any = "") -> Any:
    from ..mappings import py2_translate

    return py2_translate(text, table, letters)


def _function(name: str) -> Any:
    def function(text: Any, *args: Any) -> Any:
        return getattr(text, name)(*args)

    function.__name__ = name
    return function


# --- csv ------------------------------------------------------------------------------


def _lines(file: Any) -> Iterator[str]:
    for line in file:
        yield text_of(line) if isinstance(line, bytes) else line


class _Reader(csv.DictReader):
    def __init__(self, f: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(_lines(f), *args, **kwargs)


class _Out:
    """A file that was opened as bytes takes rows as text."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, text: str) -> Any:
        if isinstance(self._file, OldFile):
            return self._file.write(text)
        try:
            return self._file.write(text)
        except TypeError:
            return self._file.write(text.encode())


class _Writer(csv.DictWriter):
    def __init__(self, f: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Out(f), *args, **kwargs)


def csv_names(real: ModuleType) -> dict[str, Any]:
    return {
        "DictReader": _Reader,
        "DictWriter": _Writer,
        "reader": lambda file, *args, **kwargs: csv.reader(_lines(file), *args, **kwargs),
        "writer": lambda file, *args, **kwargs: csv.writer(_Out(file), *args, **kwargs),
    }


# --- json -----------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return text_of(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _json_words(words: dict[str, Any]) -> dict[str, Any]:
    words.pop("encoding", None)
    words.setdefault("default", _plain)
    return words


def json_names(real: ModuleType) -> dict[str, Any]:
    def load(file: Any, encoding: Any = None, **words: Any) -> Any:
        return json.loads(file.read(), **words)

    def loads(text: Any, encoding: Any = None, **words: Any) -> Any:
        return json.loads(text_of(text) if isinstance(text, bytes) else text, **words)

    def dump(value: Any, file: Any, *args: Any, **words: Any) -> None:
        file.write(json.dumps(value, *args, **_json_words(words)))

    def dumps(value: Any, *args: Any, **words: Any) -> str:
        return json.dumps(value, *args, **_json_words(words))

    return {"load": load, "loads": loads, "dump": dump, "dumps": dumps}


def codecs_names(real: ModuleType) -> dict[str, Any]:
    """``sys.stdout = codecs.getwriter("utf8")(sys.stdout)``: a file of text encodes by itself."""

    def around(find: Any) -> Any:
        def get(encoding: Any) -> Any:
            made = find(encoding)
            return lambda stream, *args: (
                stream if isinstance(stream, io.TextIOBase | OldFile) else made(stream, *args)
            )

        return get

    return {"getreader": around(codecs.getreader), "getwriter": around(codecs.getwriter)}


def html_parser(real: ModuleType) -> dict[str, Any]:
    import html

    class HTMLParser(real.HTMLParser):  # type: ignore[name-defined]
        def unescape(self, text: str) -> str:
            return html.unescape(text)

    return {"HTMLParseError": ValueError, "HTMLParser": HTMLParser}
