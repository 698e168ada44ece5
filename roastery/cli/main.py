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
from ..files.missing import missing
from .command import Arguments, Command, UsageError
from .glog import for_scripts, logging_as, tell_files
from .glog_flags import LOGGING
from .help_text import RUNNING, command_page, logging_page, overview, running_page
from .pages import page_names, page_of_docs
from .parse import parse_arguments
from .programs import CAFFE_VERSION, CaffeProgram, program_called
from .registry import all_commands, command_names, find_command
from .say import say_note
from .signals import hold_signals, let_signals_end, note_signals, release_signals
from .streams import last_word, open_missing_streams, settle_streams

#: What a shell reports for a program that a signal ended is 128 more than the signal's number.
_SIGNALLED = 128
_SIGINT = 2
_SIGPIPE = 13


def main(argv: Sequence[str] | None = None, called: str = "") -> int:
    """Run one command line and return the exit code.

    Args:
        called: how the program is called: by a name of Caffe's it does what that program does.

    0: done. 1: an error, told in one message on standard error; ``--debug`` adds the traceback.
    130: interrupted from the keyboard; 143 and 129: ended by SIGTERM, SIGHUP. 141: nobody reads
    our output any more.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    program = program_called(called)
    if program is not None:
        words = program.command_line(words)
    debug = _asks_for_debug(words)
    began = hold_signals()
    open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names may be any bytes
            stream.reconfigure(errors="backslashreplace")
    limit_blas_threads()
    try:
        code = _run(words, debug, program)
        if (unwritten := settle_streams()) and code == 0:
            code = _refused(unwritten, debug)
        return code
    finally:
        note_signals()
        if began:
            release_signals()


def _run(words: list[str], debug: bool, program: CaffeProgram | None) -> int:
    try:
        return _dispatch(words, program)
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
    if isinstance(error, FileNotFoundError) and isinstance(error.filename, str):
        return _fail(str(missing("file", error.filename)), debug)
    name = f"'{printable(str(error.filename))}': " if error.filename is not None else ""
    return _fail(f"{name}{error.strerror or error}", debug)


def _dispatch(words: list[str], program: CaffeProgram | None) -> int:
    if not words or words[0] in ("help", "-h", "-help", "--help"):
        _help([word for word in words[1:] if not word.startswith("-")])
        return 0
    if words[0] in ("version", "-version", "--version"):
        _version(program)
        return 0
    name, rest = _split(words)
    command = find_command(name)
    arguments = parse_arguments(command, rest, program.name if program else "")
    arguments.words = rest
    if arguments.help:
        print(command_page(command))
        return 0
    if arguments.version:
        _version(program)
        return 0
    for remark in arguments.notes:
        say_note(remark)
    if command.signals == "end":
        let_signals_end()
    elif command.signals == "python":
        release_signals()
    limit_image_pixels(getattr(arguments, "max_image_pixels", None))
    dialect = getattr(arguments, "dialect", None)
    if dialect is not None:
        _speak(dialect)
    try:
        return _logged(command, arguments, program.name if program else "")
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


def _logged(command: Command, arguments: Arguments, program: str) -> int:
    """Run the command; what ends it is told to the files of its log, too."""
    if command.signals == "python":
        with for_scripts(arguments.glog):
            return command.run(arguments) or 0
    with logging_as(arguments.glog, program):
        try:
            return command.run(arguments) or 0
        except RoasteryError as error:
            tell_files(str(error))
            raise


def _help(topic: list[str]) -> None:
    if topic[:1] == [RUNNING]:
        print(running_page(all_commands()))
    elif topic[:1] == [LOGGING]:
        print(logging_page())
    elif not topic:
        print(overview(all_commands()))
    elif topic[0].replace("-", "_") in command_names() or (text := page_of_docs(topic[0])) is None:
        print(command_page(find_command(topic[0], page_names())))
    else:
        print(text)


def _version(program: CaffeProgram | None) -> None:
    if program is not None and program.name.removesuffix(".bin") == "caffe":
        print(f"caffe version {CAFFE_VERSION} (roastery {__version__})")
    else:
        print(f"roastery {__version__}")


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
