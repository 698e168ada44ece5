"""Reads a command line as gflags does.

``--solver=x``, ``-solver=x``, ``--solver x`` and ``-solver x`` are one; a boolean is given as
``--gray``, ``--nogray`` or ``--gray=true``; ``--`` ends the flags. Dashes inside a name count as
underscores. Flags and arguments may be mixed. The last of several equal flags wins; those of a
``--flagfile`` or ``--fromenv`` count where that stands.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from .command import COMMON_FLAGS, Arguments, Command, Flag, UsageError
from .flag_environment import FROM_ENVIRONMENT, flag_of_environment
from .flag_file import flags_of_file
from .flag_values import flag_value, metavar
from .glog_flags import GFLAGS_FLAGS, GLOG_FLAGS, HELP_FLAGS
from .known_flags import KnownFlags
from .said_elsewhere import SaidElsewhere

_GLOG = frozenset(flag.name for flag in GLOG_FLAGS)
_GFLAGS = frozenset(flag.name for flag in GFLAGS_FLAGS)
_NUMBER = re.compile(r"-\.?\d")


def parse_arguments(command: Command, words: Sequence[str], program: str = "") -> Arguments:
    """Turn the words after the command's name into its arguments.

    Args:
        program: another name of ours, for files of flags that are several programs'.

    Raises:
        UsageError: in one line, with a suggestion where a known name is near.
    """
    return _Parser(command, program).parse(words)


class _Parser:
    def __init__(self, command: Command, program: str) -> None:
        self._command = command
        self._known = KnownFlags(command)
        self._programs = ("roastery", command.name, *filter(None, [program]))
        self._values: dict[str, Any] = {}
        self._glog: dict[str, Any] = {}
        self._notes: list[str] = []
        self._files: list[str] = []  # of flags, those that are being read
        self._unknown_ones: list[tuple[str, UsageError]] = []
        self._undefok: set[str] = set()
        self._positional: list[str] = []
        self._rest = False

    def parse(self, words: Sequence[str]) -> Arguments:
        for word in words:
            if "\0" in word:
                raise UsageError(f"{word!a}: an argument cannot hold a zero byte")
        at = 0
        while at < len(words):
            word = words[at]
            if self._takes_rest():
                self._positional.extend(words[at:])
                break
            if word == "--":
                self._positional.extend(words[at + 1 :])
                break
            if _is_flag(word):
                at = self._flag(words, at)
            else:
                self._positional.append(word)
                at += 1
        if self._values.get("help"):
            return self._defaults()
        for name, error in self._unknown_ones:
            if not {name, name.removeprefix("no").lstrip("_")} & self._undefok:
                raise error
        if self._values.get("version"):
            return self._defaults()
        return self._finish()

    def _takes_rest(self) -> bool:
        if self._rest:
            return True
        positionals = self._command.positionals
        return bool(
            positionals
            and positionals[-1].rest
            and len(self._positional) >= len(positionals) - 1
            and self._positional
        )

    def _flag(self, words: Sequence[str], at: int) -> int:
        """Read the flag at ``at``; return where to go on."""
        name, equals, text = words[at].lstrip("-").partition("=")
        shown, name = f"--{name}", name.replace("-", "_")
        flag, value = self._known.meant(name, text if equals else None)
        if flag is None:
            self._unknown_ones.append((name, self._known.unknown(shown, name)))
            return at + 1
        if flag.kind != "bool" and value is None:
            if flag.alone is not None and _ends_here(words, at):
                value = flag.alone
            elif at + 1 == len(words) or self._is_known_flag(words[at + 1]):
                raise UsageError(f"{shown} needs a value: {shown}={metavar(flag)}")
            else:
                at += 1
                value = words[at]
        self._set(flag, flag_value(shown, flag, value))
        self._rest = self._rest or flag.last
        return at + 1

    def _set(self, flag: Flag, value: Any) -> None:
        if self._known.is_own(flag):
            if flag.repeated:
                self._values.setdefault(flag.name, []).append(value)
            else:
                self._values[flag.name] = value
        elif flag.name in _GLOG:
            self._glog[flag.name] = value
        elif flag.name in HELP_FLAGS:
            self._values["help"] = value is not False
        elif flag.name == "version":
            self._values["version"] = value
        elif flag.name in _GFLAGS:
            self._from_elsewhere(flag.name, [w.strip() for w in str(value).split(",") if w.strip()])

    def _from_elsewhere(self, name: str, words: Sequence[str]) -> None:
        """Heed ``--flagfile`` and the others whose values lead to more flags."""
        if name == "flagfile":
            for path in words:
                self._flag_file(path)
            return
        names = [word.lstrip("-").replace("-", "_") for word in words]
        if name == "undefok":
            self._undefok.update(names)
        elif name in FROM_ENVIRONMENT:
            for each in names:
                self._environment(each, name)

    def _flag_file(self, path: str) -> None:
        real = os.path.realpath(path)
        if real in self._files:
            raise UsageError(f"--flagfile={path}: it names itself, by way of a --flagfile in it")
        self._files.append(real)
        for said in flags_of_file(path, self._programs, self._known, self._notes.append):
            self._heed(said)
        self._files.pop()

    def _environment(self, name: str, asked_by: str) -> None:
        flag = self._known.named(name)
        if flag is None:
            self._unknown_ones.append((name, self._known.unknown(f"--{name}", name)))
        elif (said := flag_of_environment(name, flag, asked_by)) is not None:
            self._heed(said)

    def _heed(self, said: SaidElsewhere) -> None:
        try:
            self._set(said.flag, flag_value(f"--{said.name}", said.flag, said.value))
        except UsageError as error:
            raise UsageError(f"{said.place}: {error}") from None

    def _is_known_flag(self, word: str) -> bool:
        name = word.lstrip("-").partition("=")[0].replace("-", "_")
        return _is_flag(word) and self._known.named(name) is not None

    def _defaults(self) -> Arguments:
        values = {
            flag.name: [] if flag.repeated and flag.default is None else flag.default
            for flag in (*self._command.flags, *COMMON_FLAGS)
        }
        for positional in self._command.positionals:
            many = positional.repeated or positional.rest
            values[positional.name] = [] if many else positional.default
        found = {**values, "version": False, **self._values}
        return Arguments(**found, given=set(self._values), glog=self._glog, notes=self._notes)

    def _finish(self) -> Arguments:
        arguments = self._defaults()
        missing = [f for f in self._command.flags if f.required and f.name not in self._values]
        if missing:
            raise UsageError(
                f"{self._command.name} needs --{missing[0].name}={metavar(missing[0])}; "
                f"see {self._command.help_line}"
            )
        left = list(self._positional)
        for positional in self._command.positionals:
            if positional.required and not left:
                raise UsageError(
                    f"{self._command.name} needs {positional.name.upper()} "
                    f"({positional.help}); see {self._command.help_line}"
                )
            if not left:
                break
            arguments.given.add(positional.name)
            if positional.repeated or positional.rest:
                setattr(arguments, positional.name, left)
                left = []
            else:
                setattr(arguments, positional.name, left.pop(0))
        if left:
            raise UsageError(
                f"{self._command.name} does not take the argument '{left[0]}'; "
                f"see {self._command.help_line}"
            )
        return arguments


def _ends_here(words: Sequence[str], at: int) -> bool:
    """Whether no value follows a flag."""
    return at + 1 == len(words) or words[at + 1] == "--" or _is_flag(words[at + 1])


def _is_flag(word: str) -> bool:
    return word.startswith("-") and word != "-" and not _NUMBER.match(word)
