"""Reads a command line as gflags does.

``--solver=x``, ``-solver=x``, ``--solver x`` and ``-solver x`` are one; a boolean is given as
``--gray``, ``--nogray`` or ``--gray=true``; ``--`` ends the flags. Dashes inside a name count as
underscores. Flags and arguments may be mixed. The last of several equal flags wins.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from .command import COMMON_FLAGS, Arguments, Command, Flag, UsageError

_TRUE = frozenset({"1", "t", "true", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "n", "no"})
_NUMBER = re.compile(r"-\.?\d")


def parse_arguments(command: Command, words: Sequence[str]) -> Arguments:
    """Turn the words after the command's name into its arguments.

    Raises:
        UsageError: in one line, with a suggestion where a known name is near.
    """
    return _Parser(command).parse(words)


def suggest(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'train'?``, or nothing when no known word is near."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


class _Parser:
    def __init__(self, command: Command) -> None:
        self._command = command
        self._values: dict[str, Any] = {}
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
        flag = self._command.flag("help" if name == "h" else name)
        if flag is None and name.startswith("no") and not has_value:
            opposite = self._command.flag(name[2:].lstrip("_"))
            if opposite is not None and opposite.kind == "bool":
                self._values[opposite.name] = False
                return at + 1
        if flag is None:
            raise self._unknown(shown, name)
        if flag.kind == "bool":
            self._values[flag.name] = _boolean(shown, value) if has_value else True
            return at + 1
        if not has_value and flag.alone is not None and self._stands_alone(words, at):
            value = flag.alone
        elif not has_value:
            if at + 1 == len(words) or self._is_known_flag(words[at + 1]):
                raise UsageError(f"{shown} needs a value: {shown}={metavar(flag)}")
            at += 1
            value = words[at]
        converted = _convert(shown, flag, value)
        self._rest = self._rest or flag.last
        if flag.repeated:
            self._values.setdefault(flag.name, []).append(converted)
        else:
            self._values[flag.name] = converted
        return at + 1

    @staticmethod
    def _stands_alone(words: Sequence[str], at: int) -> bool:
        return at + 1 == len(words) or words[at + 1] == "--" or _is_flag(words[at + 1])

    def _is_known_flag(self, word: str) -> bool:
        name = word.lstrip("-").partition("=")[0].replace("-", "_")
        return _is_flag(word) and self._command.flag(name) is not None

    def _unknown(self, shown: str, name: str) -> UsageError:
        flags = [flag.name for flag in (*self._command.flags, *COMMON_FLAGS)]
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
        return Arguments(**{**values, **self._values}, given=set(self._values))

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


def _is_flag(word: str) -> bool:
    return word.startswith("-") and word != "-" and not _NUMBER.match(word)


def metavar(flag: Flag) -> str:
    """What stands for the flag's value in messages and help: ``FILE``, ``N``, ``a|b``."""
    if flag.choices:
        return "|".join(flag.choices)
    return flag.metavar or {"int": "N", "float": "X"}.get(flag.kind, flag.name.upper())


def _boolean(shown: str, value: str) -> bool:
    word = value.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise UsageError(f"{shown}={value}: a boolean is true or false")


def _convert(shown: str, flag: Flag, value: str) -> str | int | float:
    if flag.choices and value not in flag.choices:
        known = ", ".join(flag.choices)
        near = suggest(flag.meant.get(value.lower(), value), flag.choices)
        raise UsageError(f"{shown}={value}: must be one of {known}{near}")
    if flag.kind == "string":
        return value
    number: int | float
    try:
        number = int(value, 0) if flag.kind == "int" else float(value)
    except (ValueError, OverflowError):
        kind = "a whole number" if flag.kind == "int" else "a number"
        raise UsageError(f"{shown}={value[:40]}: '{value[:40]}' is not {kind}") from None
    if not math.isfinite(number):
        raise UsageError(f"{shown}={value}: must be a finite number")
    if flag.minimum is not None and not number >= flag.minimum:
        raise UsageError(f"{shown}={value}: must be {flag.minimum:g} or more")
    if flag.kind == "int" and abs(number) > flag.maximum:
        raise UsageError(f"{shown}={value[:40]}: must be at most {flag.maximum:.0f}")
    return number
