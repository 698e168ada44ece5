"""The entry point of ``roastery`` and ``python -m roastery``."""

from __future__ import annotations

import io
import sys
import traceback
from collections.abc import Sequence

from ir.errors import RoasteryError, StoppedBySignal
from ir.printable import printable, printable_lines
from runtime.data.image_limit import limit_image_pixels
from runtime.machine.blas_threads import limit_blas_threads
from runtime.python.layer_notes import note_of

from .._version import __version__
from .command import UsageError
from .help_text import RUNNING, command_page, overview, running_page
from .parse import parse_arguments
from .registry import all_commands, command_names, find_command
from .signals import hold_signals, let_signals_end, note_signals, release_signals
from .streams import last_word, open_missing_streams, settle_streams

#: What a shell reports for a program that a signal ended is 128 more than the signal's number.
_SIGNALLED = 128
_SIGINT = 2
_SIGPIPE = 13


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit code.

    0: done. 1: an error, told in one message on standard error; ``--debug`` adds the traceback.
    130: interrupted from the keyboard; 143 and 129: ended by SIGTERM, SIGHUP. 141: nobody reads
    our output any more.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    debug = _asks_for_debug(words)
    began = hold_signals()
    open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may be any bytes
            stream.reconfigure(errors="backslashreplace")
    limit_blas_threads()
    try:
        code = _run(words, debug)
        if (unwritten := settle_streams()) and code == 0:
            code = _refused(unwritten, debug)
        return code
    finally:
        note_signals()
        if began:
            release_signals()


def _run(words: list[str], debug: bool) -> int:
    try:
        return _dispatch(words)
    except StoppedBySignal as stop:
        last_word(str(stop))
        return _SIGNALLED + stop.number
    except KeyboardInterrupt:
        last_word("interrupted")
        return _SIGNALLED + _SIGINT
    except RoasteryError as error:
        return _fail(str(error), debug)
    except MemoryError as error:
        # numpy says which array it was; Python itself says nothing.
        return _fail(f"out of memory{f': {error}' if str(error) else ''}", debug)
    except RecursionError:
        return _fail("this nests too deep to be worked on", debug)
    except OSError as error:
        return _refused(error, debug)


def _refused(error: OSError, debug: bool) -> int:
    """The exit code where the system refuses something."""
    if isinstance(error, BrokenPipeError):
        return _SIGNALLED + _SIGPIPE
    name = f"'{printable(str(error.filename))}': " if error.filename is not None else ""
    return _fail(f"{name}{error.strerror or error}", debug)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("help", "-h", "-help", "--help"):
        topic = [word for word in words[1:] if not word.startswith("-")]
        if topic[:1] == [RUNNING]:
            print(running_page(all_commands()))
        else:
            print(command_page(find_command(topic[0])) if topic else overview(all_commands()))
        return 0
    if words[0] in ("version", "-version", "--version"):
        print(f"roastery {__version__}")
        return 0
    name, rest = _split(words)
    command = find_command(name)
    arguments = parse_arguments(command, rest)
    if arguments.help:
        print(command_page(command))
        return 0
    if command.signals == "end":
        let_signals_end()
    elif command.signals == "python":
        release_signals()
    limit_image_pixels(getattr(arguments, "max_image_pixels", None))
    dialect = getattr(arguments, "dialect", None)
    if dialect is not None:
        _speak(dialect)
    try:
        return command.run(arguments) or 0
    except (KeyboardInterrupt, RoasteryError):
        raise
    except BaseException as error:
        note = note_of(error)
        if note is None or command.name == "python":  # a script's exceptions are its own
            raise
        raise RoasteryError(note) from error
    finally:
        limit_image_pixels(None)
        if dialect is not None:
            _speak(None)


def _speak(dialect: str | None) -> None:
    from frontends.dialect import set_dialect

    set_dialect(dialect)


def _split(words: list[str]) -> tuple[str, list[str]]:
    """Take the command's name out of the words; gflags lets flags come before it."""
    if not words[0].startswith("-"):
        return words[0], words[1:]
    known = set(command_names())
    for at, word in enumerate(words):
        if word.replace("-", "_") in known:
            return word, words[:at] + words[at + 1 :]
    raise UsageError(
        f"no command before {words[0]}; write `roastery COMMAND {words[0]}`, "
        "or `roastery --help` for the list"
    )


def _asks_for_debug(words: Sequence[str]) -> bool:
    flags = words[: words.index("--")] if "--" in words else words
    return any(word in ("--debug", "-debug", "--debug=true") for word in flags)


def _fail(message: str, debug: bool) -> int:
    if debug:
        last_word(traceback.format_exc().rstrip())
    last_word(f"error: {printable_lines(message)}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
