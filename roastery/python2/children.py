"""What a Python does first that a script of Python 2 has started: it goes on in Python 2.

By :mod:`roastery.startup.child`, before Python has read what it is to run. A script, a module of
the user's and ``-c`` are run by ``roastery python --py2`` in place of this process; what
multiprocessing starts, and installed programs, go on here, with imports rewritten.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: Options of Python that take the next word.
_WITH_VALUE = ("-X", "-W", "--check-hash-based-pycs")


@dataclass(frozen=True)
class Started:
    """A command line of Python: its options, and what it runs with which words.

    ``kind`` is "code", "module", "file", or "" where it reads from standard input.
    """

    options: list[str]
    kind: str
    source: str
    words: list[str]


def parse_started(line: Sequence[str]) -> Started:
    """Read ``sys.orig_argv`` without its first word."""
    options: list[str] = []
    words = list(line)
    while words:
        word = words.pop(0)
        for flag, kind in (("-c", "code"), ("-m", "module")):
            if word == flag and words:
                return Started(options, kind, words[0], words[1:])
            if word.startswith(flag) and len(word) > len(flag) and not word.startswith("--"):
                return Started(options, kind, word[len(flag) :], words)
        if word == "-" or not word.startswith("-"):
            return Started(options, "" if word == "-" else "file", word, words)
        options.append(word)
        if word in _WITH_VALUE and words:
            options.append(words.pop(0))
    return Started(options, "", "", [])


def begin_in_child() -> None:
    """Go on in Python 2, in another program's place where the main module is Python 2."""
    started = parse_started(sys.orig_argv[1:])
    if started.kind == "module" and started.source.partition(".")[0] == "roastery":
        return
    from .mode import start_in_child

    if not start_in_child() or not _is_python2(started):
        return
    run = {"code": ["-c"], "module": ["-m"]}.get(started.kind, [])
    words = [*started.options, "-m", "roastery", "python", "--py2", *run, started.source or "-"]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *words, *started.words])


def _is_python2(started: Started) -> bool:
    from .rewrite.is_python3 import python3_only
    from .rewrite.source import source_text
    from .running import is_python2_module

    if started.kind == "code":
        return "multiprocessing" not in started.source and not python3_only(started.source)
    if started.kind == "module":
        return is_python2_module(started.source)
    if started.kind != "file":
        return "-i" not in started.options and sys.stdin is not None and not sys.stdin.isatty()
    path = Path(started.source)
    installed = path.resolve().is_relative_to(Path(sys.prefix).resolve())
    if installed or not path.is_file():
        return False
    try:
        return not python3_only(source_text(path.read_bytes()))
    except OSError:
        return False
