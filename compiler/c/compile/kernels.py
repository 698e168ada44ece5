"""Libraries of the kernels that are asked for: those of the cache, and new ones of the rest."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import heapq
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from .c_compiler import CCompiler
from .process import compile_all
from .shared_library import Library
from .store import LibraryStore

Progress = Callable[[int, int], None]
"""How many kernels are compiled, of how many: none before the first, and all at the end, also where
one failed."""

_LETTERS = 6000
"""Of kernels in a file: compilers start in the time that they take for so many."""


class LibraryMaker:
    """Compiles kernels, each once.

    Args:
        prelude: stands before them in every file.
        progress: told before the first file is compiled and after each.
    """

    def __init__(
        self,
        compiler: CCompiler,
        flags: Sequence[str],
        prelude: str,
        store: LibraryStore,
        progress: Progress | None = None,
    ) -> None:
        self._compiler = compiler
        self._flags = tuple(flags)
        self._prelude = prelude
        self._store = store
        self._progress = progress

    @functools.cached_property
    def _settings(self) -> bytes:
        compiler = self._compiler.command, self._compiler.version
        return json.dumps((*compiler, self._flags, self._prelude, _system())).encode()

    def key(self, source: str) -> str:
        """The name of a kernel in the cache."""
        return hashlib.sha256(self._settings + source.encode()).hexdigest()

    def libraries(self, sources: Iterable[str]) -> Iterator[Library]:
        """Of kernels by their texts, whose functions all have different names.

        Raises CCompileError; what was compiled by then is kept.
        """
        wanted = {self.key(source): source for source in sources}
        missing: dict[str, str] = {}
        while wanted:
            key = next(iter(wanted))
            library = self._store.load(key)
            if library is None:
                missing[key] = wanted.pop(key)
                continue
            yield library
            for known in library.kernels:
                wanted.pop(known, None)
        units = divided({key: len(source) for key, source in missing.items()})
        yield from self._compiled(missing, units)

    def separate(self, sources: Sequence[str]) -> list[Library]:
        """Of each text a library that holds nothing else, whatever was compiled before.

        Raises CCompileError; what was compiled by then is kept.
        """
        wanted = {self.key(source): source for source in sources}
        found = {key: self._store.load(key) for key in wanted}
        known = {key: made for key, made in found.items() if made and made.kernels == (key,)}
        missing = {key: source for key, source in wanted.items() if key not in known}
        for library in self._compiled(missing, [[key] for key in missing]):
            known[library.kernels[0]] = library
        return [known[key] for key in wanted]

    def _compiled(
        self, sources: Mapping[str, str], units: Sequence[Sequence[str]]
    ) -> Iterator[Library]:
        texts = ["\n".join([self._prelude, *(sources[key] for key in unit)]) for unit in units]
        done = 0
        try:
            if sources:
                self._tell(0, len(sources))
            for number, code in compile_all(texts, self._compiler, self._flags):
                library = Library(code, tuple(units[number]))
                yield library  # to who may find that it is none, which is not kept
                self._store.save(library)
                done += len(library.kernels)
                if done < len(sources):
                    self._tell(done, len(sources))
        finally:
            if sources:
                self._store.make_room()
                self._tell(len(sources), len(sources))

    def _tell(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(done, total)


def _system() -> tuple[str, str | None]:
    """The machine and the C library that code is linked with. Machines that share a home may differ
    by them, and have compilers of one version."""
    libc = None
    with contextlib.suppress(OSError, ValueError):
        libc = os.confstr("CS_GNU_LIBC_VERSION")
    return os.uname().machine, libc


def divided(sizes: Mapping[str, int]) -> list[list[str]]:
    """Files of about the same size, so many that compilers can work side by side, of not so little
    that they mostly start."""
    count = max(1, min(len(sizes), sum(sizes.values()) // _LETTERS))
    files: list[tuple[int, int, list[str]]] = [(0, number, []) for number in range(count)]
    for key in sorted(sizes, key=lambda key: (-sizes[key], key)):
        size, number, keys = files[0]
        heapq.heapreplace(files, (size + sizes[key], number, [*keys, key]))
    return [keys for _, _, keys in sorted(files, reverse=True) if keys]
