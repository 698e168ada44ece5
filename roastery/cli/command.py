"""How a command declares itself: its name, flags, arguments, examples and what it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal

from ir.errors import RoasteryError

FlagKind = Literal["string", "int", "float", "bool"]


class UsageError(RoasteryError):
    """The command line itself is wrong: an unknown flag, a missing value."""


class Arguments(SimpleNamespace):
    """The parsed command line: one attribute per flag and positional, dashes as underscores.

    ``given`` holds the names that the user wrote; the others have their defaults.

    Attributes:
        glog: the flags of glog that were given, by name.
        notes: what the user should know of the command line.
        words: the command line itself, behind the command's name.
    """

    given: set[str]
    glog: dict[str, Any]
    notes: list[str]
    words: list[str]

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the command declares no flag or argument '{name}'")


@dataclass(frozen=True, slots=True)
class Flag:
    """``--name VALUE``, in all of gflags' spellings.

    Attributes:
        default: also the value of a flag that is not given; a repeated flag then is ``[]``.
        metavar: what stands for the value in the help.
        choices: the values that are allowed, if they are few. meant: which of them others mean by
            other names.
        repeated: may be given several times; the value is the list of all.
        minimum, maximum: the smallest and the largest number that is allowed.
        alone: its value where it is the last word, or another flag follows; None: it needs one.
        last: what follows its value goes to the command's ``rest`` argument as it is.
        short: another name, of one letter.
        empty: an empty value stands for the default, though there are ``choices``.
        brief: of a flag that many commands share, which says how a net is run: in a line what it
            is for. Such flags end a command's page, and `roastery help running` has their ``help``.
    """

    name: str
    help: str
    kind: FlagKind = "string"
    default: Any = None
    metavar: str = ""
    choices: Sequence[str] = ()
    meant: Mapping[str, str] = field(default_factory=dict)
    repeated: bool = False
    minimum: float | None = None
    maximum: float = (1 << 31) - 1
    required: bool = False
    alone: str | None = None
    last: bool = False
    short: str = ""
    brief: str = ""
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Positional:
    """An argument without a name. Optional ones come last; only the last may be repeated.

    A repeated one is a list. ``rest`` takes everything that follows as it is, flags too.
    """

    name: str
    help: str
    required: bool = True
    repeated: bool = False
    rest: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class Example:
    """A command line that works, and what it does."""

    line: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command of ``roastery``.

    Attributes:
        name: with underscores; the user may write dashes instead.
        summary: one line, for the list of commands.
        run: gets the arguments, returns the exit code (None for 0). User mistakes are raised as
            RoasteryError.
        group: the heading under which the command is listed.
        description: more about it, in paragraphs.
        aliases: other names, such as the one that Caffe's tool has.
        accepts: flags of Caffe's one binary that another command heeds; here they change nothing.
        others: gives flags that its page does not list, since there are too many of them.
        signals: what SIGINT, SIGTERM and SIGHUP do: "end" the command, cleanly; "own": it takes
            those that :func:`roastery.cli.signals.held_signals` gives out and decides; "python":
            what they do in any Python program.
    """

    name: str
    summary: str
    run: Callable[[Arguments], int | None]
    flags: Sequence[Flag] = ()
    positionals: Sequence[Positional] = ()
    examples: Sequence[Example] = ()
    group: str = "Other"
    description: str = ""
    aliases: Sequence[str] = ()
    accepts: Sequence[Flag] = ()
    others: Callable[[], Mapping[str, Flag]] | None = None
    signals: Literal["end", "own", "python"] = "end"

    @property
    def help_line(self) -> str:
        """How the user sees its page."""
        return f"`roastery {self.name} --help`"

    def flag(self, name: str) -> Flag | None:
        """The flag called ``name`` (underscores), or None."""
        flags = (*self.flags, *COMMON_FLAGS)
        return next((flag for flag in flags if name and name in (flag.name, flag.short)), None)


#: Flags that every command has.
COMMON_FLAGS = (
    Flag("debug", "show the Python traceback of an error", kind="bool", default=False),
    Flag("help", "show this page", kind="bool", default=False),
)


def needed(arguments: Arguments, flag: str, why: str) -> str:
    """The value of a flag that must be given."""
    value: str = getattr(arguments, flag) or ""
    if not value:
        raise UsageError(f"--{flag} is missing: {why}")
    return value
