"""What others wrote is as they published it, and goes with its licence wherever it goes."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from compiler.c.export import third_party
from compiler.c.export.pictures import decoder

FOLDER = Path(third_party.__file__).parent

#: Of the commit that the package names.
STB_IMAGE = "594c2fe35d49488b4382dbfaec8f98366defca819d916ac95becf3e75f4200b3"


def test_the_decoder_is_unmodified() -> None:
    assert hashlib.sha256(decoder()).hexdigest() == STB_IMAGE


def test_its_licence_goes_with_it() -> None:
    licence = (FOLDER / "LICENSE").read_text()
    assert "ALTERNATIVE A - MIT License" in licence
    end = decoder().decode()[-3000:]
    assert all(line in end for line in licence.splitlines())  # the printout has this file alone
    root = FOLDER.parents[3]
    if (root / "pyproject.toml").exists():
        project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
        assert "compiler/c/export/third_party/LICENSE" in project["license-files"]
