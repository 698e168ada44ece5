"""The page docs/command-line.md, made from the commands: ``python -m roastery.cli.markdown``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from .command import COMMON_FLAGS, Command, Flag
from .glog_flags import GFLAGS_FLAGS, GLOG_FLAGS, IDLE_FLAGS
from .help_text import explain, grouped, spelling, usage
from .registry import all_commands

_INTRODUCTION = """\
# The command line

Made by `python -m roastery.cli.markdown` from the commands themselves; a test says when it is
stale. `roastery COMMAND --help` shows the same, what commands share in short (in full:
`roastery help running`); `roastery help PAGE` shows this page and its neighbours wherever Roastery
is installed; `python -m roastery` is the same program.

Flags are written as Caffe's: `--solver=x`, `-solver=x`, `--solver x` and `-solver x`; a flag that
is on or off is `--verbose`, `--verbose=false` or `--noverbose`; `--` ends the flags. Names of
commands have dashes or underscores. A flag of another of Caffe's actions (`time -weights`,
`train -phase`) is taken and changes nothing, as in Caffe's one binary. Logs go to standard error in
Caffe's format, and to files where glog's flags or variables say so ([here](#glogs-flags)).

| exit code | when |
|---|---|
| 0 | done |
| 1 | an error, which is told in one message on standard error, with its place in the file |
| 129, 130, 143 | ended by SIGHUP, Ctrl-C (SIGINT), SIGTERM, with nothing half made left behind |
| 141 | nobody reads the output any more |

`roastery python` ends with the script's own.

Every command has these flags:

"""


_LOGGING = """\
## glog's flags

glog's flags and gflags' own, which every command has (`roastery help logging`). Each of glog's may
stand in the environment as `GLOG_NAME`, such as `GLOG_log_dir`. With `--log_dir` the log goes to
`caffe.HOST.USER.log.INFO.YYYYMMDD-HHMMSS.PID` in that folder, and what is at least a warning to the
file of WARNING too, and so on; `caffe.INFO` leads to the newest, which `roastery parse_log` and
Caffe's `parse_log.py` read. The first part is the program's name, `caffe`. Called by the name of
one of Caffe's programs ([shims](#shims)) we write such files without a word, in `TMPDIR`, as these
do; `--logtostderr` turns that off. All goes to standard error, too, unless `--noalsologtostderr` is
given. An error that ends the command is the last line of FATAL.

"""


def page(commands: Iterable[Command]) -> str:
    """The whole page."""
    groups = grouped(commands)
    parts = [_INTRODUCTION + _flags(COMMON_FLAGS)]
    listed = [f"* {group}: {', '.join(map(_link, members))}" for group, members in groups.items()]
    parts.append("The commands:\n\n" + "\n".join(listed) + "\n")
    for members in groups.values():
        parts += map(_section, members)
    parts.append(_LOGGING + _flags((*GLOG_FLAGS, *GFLAGS_FLAGS, *IDLE_FLAGS)))
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
