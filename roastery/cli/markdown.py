"""The page docs/command-line.md, made from the commands: ``python -m roastery.cli.markdown``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from .command import COMMON_FLAGS, Command, Flag
from .help_text import explain, grouped, spelling, usage
from .registry import all_commands

_INTRODUCTION = """\
# The command line

Made by `python -m roastery.cli.markdown` from the commands themselves; a test says when it is
stale. `roastery COMMAND --help` shows the same, what commands share in short (in full:
`roastery help running`); `python -m roastery` is the same program.

Flags are written as Caffe's: `--solver=x`, `-solver=x`, `--solver x` and `-solver x`; a flag that
is on or off is `--verbose`, `--verbose=false` or `--noverbose`; `--` ends the flags. Names of
commands have dashes or underscores. The exit code is 0; 1 after an error, which is told in one
message on standard error, with its place in the file; 130 after Ctrl-C and 143 after SIGTERM, with
nothing half made left behind. Logs go to standard error in Caffe's format.

Every command has these flags:

"""


def page(commands: Iterable[Command]) -> str:
    """The whole page."""
    groups = grouped(commands)
    parts = [_INTRODUCTION + _flags(COMMON_FLAGS)]
    listed = [f"* {group}: {', '.join(map(_link, members))}" for group, members in groups.items()]
    parts.append("The commands:\n\n" + "\n".join(listed) + "\n")
    for members in groups.values():
        parts += map(_section, members)
    return "\n".join(parts)


def _link(command: Command) -> str:
    return f"[{command.name}](#{command.name})"


def _section(command: Command) -> str:
    parts = [f"## {command.name}\n\n{command.summary}.\n"]
    if command.description:
        parts += [
            " ".join(paragraph.split()) + "\n"
            for paragraph in command.description.strip().split("\n\n")
        ]
    parts.append(f"`{usage(command).removeprefix('usage: ')}`\n")
    if command.examples:
        lines = [line for e in command.examples for line in (f"# {e.text}", e.line)]
        parts.append("```sh\n" + "\n".join(lines) + "\n```\n")
    rows = [f"* `{p.name.upper()}`: {p.help}" for p in command.positionals]
    if rows or command.flags:
        parts.append("\n".join([*rows, *map(_flag, command.flags)]) + "\n")
    if command.aliases:
        parts.append(f"Also called {', '.join(f'`{alias}`' for alias in command.aliases)}.\n")
    return "\n".join(parts)


def _flags(flags: Sequence[Flag]) -> str:
    return "\n".join(map(_flag, flags)) + "\n"


def _flag(flag: Flag) -> str:
    return f"* `{spelling(flag)}`: {explain(flag)}"


if __name__ == "__main__":
    sys.stdout.write(page(all_commands()))
