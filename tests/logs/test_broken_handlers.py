"""Handlers that fail and work again."""

from __future__ import annotations

import errno
import io
import os

import pytest

from runtime.logging import CaffeLog, GlogHandler, LogRecord


class Sometimes:
    """A handler with a disk that is full from time to time."""

    def __init__(self) -> None:
        self.full = False
        self.texts: list[str] = []

    def __str__(self) -> str:
        return "a disk"

    def handle(self, record: LogRecord) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.texts.append(record.text)

    def close(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_handler_that_works_again_says_what_it_lacks() -> None:
    shown, disk = io.StringIO(), Sometimes()
    with CaffeLog([GlogHandler(shown), disk]) as log:
        log.note("one")
        disk.full = True
        for text in ("two", "three", "four"):
            log.note(text)
        disk.full = False
        log.note("five")
    assert disk.texts == ["one", "five", "3 line(s) of the log could not be written here"]
    texts = [line.partition("] ")[2] for line in shown.getvalue().splitlines()]
    notice = "the log no longer reaches a disk (No space left on device); it goes on in its stream"
    assert texts == ["one", "two", notice, "three", "four", "five"]


def test_a_stream_that_somebody_closed() -> None:
    stream = io.StringIO()
    stream.close()
    log = CaffeLog([GlogHandler(stream)])
    log.note("nobody hears this")


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_log_that_is_all_ends_the_run(goes_on: bool) -> None:
    class Pipe(Sometimes):
        def handle(self, record: LogRecord) -> None:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    alone = CaffeLog([Pipe()], goes_on=goes_on)
    if goes_on:
        alone.note("nobody reads this")
    else:
        with pytest.raises(BrokenPipeError):
            alone.note("nobody reads this")
    CaffeLog([Pipe(), Sometimes()], goes_on=goes_on).note("a file has it")
