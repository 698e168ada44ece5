"""One input of a reader: a file, or a folder of files."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """Files by their names, as a reader finds them.

    Attributes:
        main: the file or folder that the reader is given.
        mutable: the files that mutators may change; all of them when empty.
    """

    files: dict[str, bytes]
    main: str
    mutable: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The files that mutators may change."""
        return self.mutable or tuple(sorted(self.files))

    def changed(self, name: str, content: bytes) -> Sample:
        """The same with other content of one file."""
        return replace(self, files={**self.files, name: content})

    def write(self, folder: Path) -> Path:
        """Put the files into a folder that holds nothing else; the path of ``main``."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder / self.main


def from_folder(folder: Path, main: str, mutable: tuple[str, ...] = ()) -> Sample:
    """All files below a folder."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return Sample(files, main, mutable)


def one_file(name: str, content: bytes | str, **others: bytes) -> Sample:
    """A file that alone is changed; ``others`` lie beside it."""
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    return Sample({name: data, **others}, name, (name,))


def digests(folder: Path) -> dict[str, str]:
    """A checksum of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha1(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
