"""The pages that ``--help`` shows: what a command does, by examples first."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence

from .command import COMMON_FLAGS, Command, Flag, Positional
from .flag_values import metavar
from .glog_flags import GFLAGS_FLAGS, GLOG_FLAGS, IDLE_FLAGS
from .pages import page_names

RUNNING = "running"
"""What `roastery help` calls the flags that have a ``brief``."""

#: The order of the groups in the list of commands; others follow in the order of their names.
GROUPS = (
    "Nets",
    "Compiling",
    "Deploying",
    "Data",
    "Logs and pictures",
    "Models",
    "Machine",
    "Other",
)


def overview(commands: Iterable[Command]) -> str:
    """The page of ``roastery --help``: every command with its summary, by group."""
    groups = grouped(commands)
    width = max((len(c.name) for members in groups.values() for c in members), default=0) + 2
    lines = [
        "usage: roastery COMMAND [ARGUMENTS] [--FLAGS]",
        "",
        "Trains, tests, compiles and runs Caffe nets.",
    ]
    for group, members in groups.items():
        lines += ["", f"{group}:"]
        lines += [f"  {command.name:<{width}}{command.summary}" for command in members]
    lines += [
        "",
        "`roastery COMMAND --help` explains one command, with examples; `roastery help running`",
        "explains the flags that say how nets are run, `roastery help logging` those of glog;",
        "--version shows the version. Flags are written as Caffe's: --solver=x, -solver=x,",
        "--solver x, -solver x.",
        "",
        *textwrap.wrap(
            f"`roastery help PAGE` shows a page: {', '.join(page_names())}.",
            88,
            break_on_hyphens=False,
        ),
    ]
    return "\n".join(lines)


def grouped(commands: Iterable[Command]) -> dict[str, list[Command]]:
    """Commands by group, in the order in which they are listed."""
    groups: dict[str, list[Command]] = {}
    for command in sorted(commands, key=lambda command: command.name):
        groups.setdefault(command.group, []).append(command)
    order = [*(g for g in GROUPS if g in groups), *sorted(g for g in groups if g not in GROUPS)]
    return {group: groups[group] for group in order}


def command_page(command: Command) -> str:
    """The page of ``roastery COMMAND --help``."""
    columns = _columns()
    common = [(spelling(flag), explain(flag)) for flag in COMMON_FLAGS]
    parts = [usage(command), command.summary + ("" if command.summary.endswith(".") else ".")]
    if command.description:
        parts += [
            textwrap.fill(" ".join(paragraph.split()), columns)
            for paragraph in command.description.strip().split("\n\n")
        ]
    if command.examples:
        examples = [f"  # {example.text}\n  {example.line}" for example in command.examples]
        parts.append("Examples:\n" + "\n\n".join(examples))
    if command.positionals:
        rows = [(p.name.upper(), p.help) for p in command.positionals]
        parts.append("Arguments:\n" + _table(rows, columns))
    own = [flag for flag in command.flags if not flag.brief]
    running = [flag for flag in command.flags if flag.brief]
    if own or not running:
        rows = [(spelling(flag), explain(flag)) for flag in (own if running else command.flags)]
        rows += [] if running else common
        parts.append("Flags:\n" + _table(rows, columns))
    if running:
        rows = [(_short_spelling(flag), flag.brief) for flag in running]
        title = f"Running (`roastery help {RUNNING}` says more of it):\n"
        parts.append(title + _table([*rows, *common], columns))
    if command.aliases:
        parts.append("Also called: " + ", ".join(command.aliases))
    return "\n\n".join(parts)


def running_page(commands: Iterable[Command]) -> str:
    """The page of `roastery help running`: the flags that say how a net is run, in full."""
    flags: dict[str, Flag] = {}
    for command in commands:
        for flag in command.flags:
            if flag.brief:
                flags.setdefault(_short_spelling(flag), flag)
    rows = [(name, flag.help) for name, flag in sorted(flags.items())]
    return (
        "How nets are run: flags that many commands share. Each command's page lists its own.\n\n"
        + _table(rows, _columns())
    )


def logging_page() -> str:
    """The page of `roastery help logging`: the flags of glog and gflags."""
    groups = {
        "Where the log goes, as glog's flags say, and GLOG_NAME in the environment": GLOG_FLAGS,
        "Where flags come from, as gflags has it": GFLAGS_FLAGS,
        "What changes nothing": IDLE_FLAGS,
    }
    tables = [
        f"{title}:\n" + _table([(spelling(flag), explain(flag)) for flag in flags], _columns())
        for title, flags in groups.items()
    ]
    return "\n\n".join(["Flags that every command has.", *tables])


def _columns() -> int:
    return min(shutil.get_terminal_size((88, 24)).columns, 100)


def usage(command: Command) -> str:
    """The line that shows the arguments, `usage: roastery train [--FLAGS]`."""
    words = ["usage: roastery", command.name, *map(_placeholder, command.positionals)]
    words += [f"--{flag.name}={metavar(flag)}" for flag in command.flags if flag.required]
    if any(not flag.required for flag in command.flags):
        words.append("[--FLAGS]")
    return " ".join(words)


def _placeholder(positional: Positional) -> str:
    text = positional.name.upper() + (" ..." if positional.repeated or positional.rest else "")
    return text if positional.required else f"[{text}]"


def spelling(flag: Flag) -> str:
    """A flag as it is written: `--model=FILE`, `--verbose`."""
    if flag.kind == "bool":
        return f"--no{flag.name}" if flag.default else f"--{flag.name}"
    short = f", -{flag.short}" if flag.short else ""
    return f"--{flag.name}={metavar(flag)}{short}"


def _short_spelling(flag: Flag) -> str:
    """A flag with what its value is called, though it be one of a few."""
    if flag.kind == "bool":
        return spelling(flag)
    return f"--{flag.name}={flag.metavar or flag.name.upper()}"


def explain(flag: Flag) -> str:
    """What a flag means, with its default."""
    notes = []
    if flag.required:
        notes.append("required")
    if flag.repeated:
        notes.append("may be repeated")
    if flag.kind != "bool" and flag.default not in (None, "", [], ()):
        notes.append(f"default: {flag.default}")
    return flag.help + (f" ({'; '.join(notes)})" if notes else "")


def _table(rows: Sequence[tuple[str, str]], columns: int) -> str:
    """Names on the left, texts on the right; a long name has a line of its own."""
    width = min(max(len(name) for name, _ in rows) + 4, 30)
    lines = []
    for name, text in rows:
        wrapped = textwrap.wrap(text, max(columns - width, 20)) or [""]
        head = f"  {name}"
        if len(head) + 2 > width:
            lines.append(head)
            head = ""
        lines.append(f"{head:<{width}}{wrapped[0]}")
        lines += [" " * width + line for line in wrapped[1:]]
    return "\n".join(lines)
