"""A notebook that runs as a script does: what its cells would show is printed."""

from __future__ import annotations

import os
from pathlib import Path

from .document import cell_source, code_cells, read_notebook
from .figures import close_figures
from .session import CellSession


def print_notebook(path: Path, session: CellSession) -> None:
    """Run a notebook's cells and print what they would show. Pictures are drawn and closed."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    with session.running():
        for number, cell in code_cells(read_notebook(path)):
            value = session.run(cell_source(cell), f"{path.name}, cell {number}")
            if value is not None:
                print(repr(value))
            close_figures()
