"""One thread at a time: a net or solver that two use at once says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from ir.errors import RoasteryError


class InUseError(RoasteryError, RuntimeError):
    """Another thread is using this net or solver right now."""


class Exclusive:
    """``with exclusive:`` the calls of one thread, which may nest; another thread gets an error.

    A lock that waited would let the calls of both through, and each would find the other's blobs
    between its own. Threads that take turns by themselves never meet here.

    Args:
        what: "net 'LeNet'", for the error.

    Attributes:
        shared: whether threads other than the one that made it have used it.
        watched: others may look at its blobs meanwhile: it is training, and they watch it.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.shared = False
        self.watched = False
        self._home = threading.get_ident()
        self._lock = threading.RLock()
        self._owner: threading.Thread | None = None
        self._depth = 0

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._replace_dead()
        self._depth += 1
        if self._depth == 1:
            self._owner = threading.current_thread()
            if threading.get_ident() != self._home:
                self.shared = True

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._owner = None
        self._lock.release()

    def check(self) -> None:
        """Raises InUseError while another thread is inside."""
        owner = self._owner
        if owner is None or owner is threading.current_thread() or self.watched:
            return
        if owner.is_alive():
            raise self._error(owner)

    def _replace_dead(self) -> None:
        """A forked process has the lock of a thread that it has not."""
        owner = self._owner
        if owner is None or owner.is_alive():
            raise self._error(owner)
        self._lock, self._depth = threading.RLock(), 0
        self._lock.acquire()

    def _error(self, owner: threading.Thread | None) -> InUseError:
        name = f" ({owner.name})" if owner is not None else ""
        return InUseError(
            f"{self.what} is in use by another thread{name}",
            hint="blobs hold one pass at a time: give each thread a net of its own (share_with "
            "shares the weights), hold a lock from setting the inputs to reading the outputs, or "
            "call what roastery.compile gives, which threads may share",
        )


class Training:
    """``with Training(uses):`` a solver and its nets belong to this thread."""

    def __init__(self, uses: Sequence[Exclusive]) -> None:
        self._uses = uses
        self._entered: list[tuple[Exclusive, bool]] = []

    def __enter__(self) -> None:
        try:
            for use in self._uses:
                use.__enter__()
                self._entered.append((use, use.watched))
                use.watched = True
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *error: object) -> None:
        while self._entered:
            use, before = self._entered.pop()
            use.watched = before
            use.__exit__()


F = TypeVar("F", bound=Callable[..., Any])


def exclusive(method: F) -> F:
    """A method that one thread at a time may be in, by the object's ``_use``."""

    @wraps(method)
    def alone(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        with self._use:
            return method(self, *args, **kwargs)

    return cast(F, alone)
