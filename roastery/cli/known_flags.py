"""Which flags a command heeds, and what is said of one that it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property

from .command import COMMON_FLAGS, Command, Flag, UsageError
from .glog_flags import EVERYWHERE


class KnownFlags:
    """The flags of a command: its own, those of every command, and those that others accept."""

    def __init__(self, command: Command) -> None:
        self._command = command

    @property
    def command(self) -> str:
        """The command's name."""
        return self._command.name

    def named(self, name: str) -> Flag | None:
        """The flag of this name (underscores), or None."""
        own = self._command.flag(name) or EVERYWHERE.get(name)
        accepted = next((flag for flag in self._command.accepts if flag.name == name), None)
        return own or accepted or self._unlisted.get(name)

    def meant(self, name: str, value: str | None) -> tuple[Flag | None, str | None]:
        """The flag that ``name`` or ``name=value`` means, and its value.

        ``noNAME`` is ``NAME=false``.
        """
        if flag := self.named("help" if name == "h" else name):
            return flag, value
        if name.startswith("no") and value is None:
            opposite = self.named(name[2:].lstrip("_"))
            if opposite is not None and opposite.kind == "bool":
                return opposite, "false"
        return None, value

    def is_own(self, flag: Flag) -> bool:
        """Whether the command gets its value; those of others change nothing here."""
        return self._command.flag(flag.name) is flag or flag.name in self._unlisted

    def unknown(self, shown: str, name: str) -> UsageError:
        """The error for a flag that is none, with the nearest one that is."""
        flags = [flag.name for flag in (*self._command.flags, *COMMON_FLAGS)]
        flags += [*EVERYWHERE, *(flag.name for flag in self._command.accepts), *self._unlisted]
        close = get_close_matches(name, flags, n=1, cutoff=0.6)
        near = f"did you mean --{close[0]}?" if close else f"see {self._command.help_line}"
        return UsageError(f"{self._command.name} has no flag {shown}; {near}")

    @cached_property
    def _unlisted(self) -> Mapping[str, Flag]:
        """Flags that the command takes, and its page does not list."""
        return self._command.others() if self._command.others is not None else {}
