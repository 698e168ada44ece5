"""A process that holds places in LMDB's tables of readers for the process that started it.

It is run as a script, alone: liblmdb lets a process open a database only once, and the program
that reads may open it on its own; and what liblmdb cannot take in a damaged file ends this
process, not that one. Requests and answers are lines of JSON; it ends when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:]  # where the package lmdb is

import lmdb

_FIRST_MAP_BYTES = 1 << 40


class Opened:
    """An environment, and how many asked for it."""

    def __init__(self, environment: Any, key: tuple[int, int]) -> None:
        self.environment = environment
        self.key = key
        self.users = 0


class Holder:
    """Environments and read transactions by number."""

    def __init__(self) -> None:
        self._opened: dict[tuple[int, int], Opened] = {}
        self._environments: dict[int, Opened] = {}
        self._transactions: dict[int, Any] = {}
        self._last = 0

    def answer(self, action: str, *words: Any) -> dict[str, Any]:
        """What to reply to one request."""
        try:
            return getattr(self, action)(*words)
        except (lmdb.Error, OSError, MemoryError, KeyError, ValueError) as error:
            return {"error": str(error)}

    def open(self, path: str, folder: bool, map_bytes: int) -> dict[str, Any]:
        """Open an environment, or share it with those who opened it before; its number."""
        found = os.stat(os.path.join(path, "data.mdb") if folder else path)
        key = (found.st_dev, found.st_ino)
        opened = self._opened.get(key)
        if opened is None:
            opened = self._opened[key] = Opened(self._open(path, folder, map_bytes), key)
        opened.users += 1
        self._last += 1
        self._environments[self._last] = opened
        return {"number": self._last}

    def _open(self, path: str, folder: bool, map_bytes: int) -> Any:
        options: dict[str, Any] = {"subdir": folder, "readonly": True, "create": False}
        name = os.fsencode(path)  # it need not be UTF-8
        try:
            environment = lmdb.open(name, map_size=min(map_bytes, _FIRST_MAP_BYTES) or 1, **options)
        except (lmdb.Error, MemoryError):  # no room for so large a map; nothing is read from it
            environment = lmdb.open(name, map_size=1, **options)
        if not os.access(os.path.join(path, "lock.mdb") if folder else f"{path}-lock", os.W_OK):
            environment.close()  # on a read-only disk liblmdb goes on without a lock, and is silent
            raise OSError("its disk is read-only")
        environment.reader_check()
        return environment

    def begin(self, environment: int) -> dict[str, Any]:
        """Begin a read transaction; its number, and LMDB's number of the state it holds."""
        found = self._environments[environment].environment
        try:
            transaction = found.begin()
        except lmdb.MapResizedError:
            found.set_mapsize(0)
            transaction = found.begin()
        self._last += 1
        self._transactions[self._last] = transaction
        return {"number": self._last, "transaction": transaction.id()}

    def end(self, transaction: int) -> dict[str, Any]:
        """End a transaction."""
        self._transactions.pop(transaction).abort()
        return {}

    def close(self, environment: int) -> dict[str, Any]:
        """Close an environment when nobody else uses it."""
        opened = self._environments.pop(environment)
        opened.users -= 1
        if not opened.users:
            del self._opened[opened.key]
            opened.environment.close()
        return {}


def main() -> None:
    """Answer requests until there are no more."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # those who read end later than they are told to
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    holder = Holder()
    for line in sys.stdin:
        print(json.dumps(holder.answer(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
