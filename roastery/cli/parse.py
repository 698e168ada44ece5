"""Reads a command line as gflags does.

``--solver=x``, ``-solver=x``, ``--solver x`` and ``-solver x`` are one; a boolean is given as
``--gray``, ``--nogray`` or ``--gray=true``; ``--`` ends the flags. Dashes inside a name count as
underscores. Flags and arguments may be mixed. The last of several equal flags wins; those of a
``--flagfile`` or ``--fromenv`` count where that stands.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from .command import COMMON_FLAGS, Arguments, Command, Flag, UsageError
from .flag_file import flag_lines
from .flag_values import boolean, from_word, metavar
from .glog_flags import EVERYWHERE, GFLAGS_FLAGS, GLOG_FLAGS, HELP_FLAGS

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
        name, has_value, value = words[at].lstrip("-").partition("=")
        shown, name = f"--{name}", name.replace("-", "_")
        flag, value, has_value = self._find(name, value, has_value)
        if flag is None:
            self._unknown_ones.append((name, self._unknown(shown, name)))
            return at + 1
        if flag.kind == "bool":
            self._set(flag, boolean(shown, value) if has_value else True)
            return at + 1
        if not has_value and flag.alone is not None and _ends_here(words, at):
            value = flag.alone
        elif not has_value:
            if at + 1 == len(words) or self._is_known_flag(words[at + 1]):
                raise UsageError(f"{shown} needs a value: {shown}={metavar(flag)}")
            at += 1
            value = words[at]
        self._set(flag, from_word(shown, flag, value))
        self._rest = self._rest or flag.last
        return at + 1

    def _find(self, name: str, value: str, has_value: str) -> tuple[Flag | None, str, str]:
        """The flag that a word names, and its value; ``noNAME`` is ``NAME=false``."""
        if flag := self._known("help" if name == "h" else name):
            return flag, value, has_value
        if name.startswith("no") and not has_value:
            opposite = self._known(name[2:].lstrip("_"))
            if opposite is not None and opposite.kind == "bool":
                return opposite, "false", "="
        return None, value, has_value

    def _known(self, name: str) -> Flag | None:
        own = self._command.flag(name) or EVERYWHERE.get(name)
        accepted = next((flag for flag in self._command.accepts if flag.name == name), None)
        return own or accepted or self._others.get(name)

    @cached_property
    def _others(self) -> Mapping[str, Flag]:
        """Flags that the command takes, and its page does not list."""
        return self._command.others() if self._command.others is not None else {}

    def _set(self, flag: Flag, value: Any) -> None:
        if self._command.flag(flag.name) is flag or flag.name in self._others:
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
            names = [word.strip() for word in str(value).split(",") if word.strip()]
            if flag.name == "flagfile":
                for path in names:
                    self._flag_file(path)
            elif flag.name == "undefok":
                self._undefok |= {name.lstrip("-").replace("-", "_") for name in names}
            else:
                for name in names:
                    self._from_environment(name, flag.name)

    def _flag_file(self, path: str) -> None:
        if os.path.realpath(path) in self._files:
            raise UsageError(f"--flagfile={path}: it names itself, by way of a --flagfile in it")
        self._files.append(os.path.realpath(path))
        for number, line in flag_lines(path, self._programs):
            place = f"{path}:{number}"
            name, has_value, value = line.lstrip("-").partition("=")
            name = name.strip().replace("-", "_")
            flag, value, has_value = self._find(name, value, has_value)
            if flag is None or not (has_value or flag.kind == "bool"):
                # gflags passes them over: a file may be for several programs.
                said = "is no flag" if flag is None else "has no value"
                self._notes.append(
                    f"{place}: {line.partition('=')[0]} {said} of {self._command.name}"
                    if flag is None
                    else f"{place}: {line} {said}: --NAME=VALUE"
                )
                continue
            try:
                self._set_text(flag, name, value, has_value)
            except UsageError as error:
                raise UsageError(f"{place}: {error}") from None
        self._files.pop()

    def _from_environment(self, name: str, source: str) -> None:
        name = name.lstrip("-").replace("-", "_")
        flag = self._known(name)
        if flag is None:
            self._unknown_ones.append((name, self._unknown(f"--{name}", name)))
            return
        text = os.environ.get(f"FLAGS_{name}")
        if text is None:
            if source == "fromenv":
                raise UsageError(f"--fromenv={name}: FLAGS_{name} is not in the environment")
            return
        if flag.name in ("fromenv", "tryfromenv"):
            raise UsageError(f"--{source}={name}: that would never end")
        try:
            self._set_text(flag, name, text, "=")
        except UsageError as error:
            raise UsageError(f"FLAGS_{name} in the environment: {error}") from None

    def _set_text(self, flag: Flag, name: str, value: str, has_value: str) -> None:
        if flag.kind == "bool":
            self._set(flag, boolean(f"--{name}", value) if has_value else True)
        else:
            self._set(flag, from_word(f"--{name}", flag, value))

    def _is_known_flag(self, word: str) -> bool:
        name = word.lstrip("-").partition("=")[0].replace("-", "_")
        return _is_flag(word) and self._known(name) is not None

    def _unknown(self, shown: str, name: str) -> UsageError:
        flags = [flag.name for flag in (*self._command.flags, *COMMON_FLAGS)]
        flags += [*EVERYWHERE, *(flag.name for flag in self._command.accepts), *self._others]
        close = get_close_matches(name, flags, n=1, cutoff=0.6)
        near = f"did you mean --{close[0]}?" if close else f"see {self._help_line()}"
        return UsageError(f"{self._command.name} has no flag {shown}; {near}")

    def _help_line(self) -> str:
        return f"`roastery {self._command.name} --help`"

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
                f"see {self._help_line()}"
            )
        left = list(self._positional)
        for positional in self._command.positionals:
            if positional.required and not left:
                raise UsageError(
                    f"{self._command.name} needs {positional.name.upper()} "
                    f"({positional.help}); see {self._help_line()}"
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
                f"see {self._help_line()}"
            )
        return arguments


def _ends_here(words: Sequence[str], at: int) -> bool:
    """Whether no value follows a flag."""
    return at + 1 == len(words) or words[at + 1] == "--" or _is_flag(words[at + 1])


def _is_flag(word: str) -> bool:
    return word.startswith("-") and word != "-" and not _NUMBER.match(word)
