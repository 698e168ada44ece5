"""A signal that comes while others' code must not be interrupted is handled afterwards."""

from __future__ import annotations

import signal
import threading

import pytest

from runtime.distributed.later_signals import later_signals


def test_it_comes_after_the_block() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert before is signal.default_int_handler
    done = []
    with pytest.raises(KeyboardInterrupt), later_signals():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append("block")
    assert done == ["block"]
    assert signal.getsignal(signal.SIGINT) is before
    with later_signals():
        pass


def test_an_ignored_one_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with later_signals():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_handle_none() -> None:
    found = []

    def enter() -> None:
        with later_signals():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]
