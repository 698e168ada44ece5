"""What a script's environment says to the Pythons that it starts, so that they see ``caffe``.

By subprocess, by multiprocessing's spawn and forkserver, as kernels of Jupyter: they read
PYTHONPATH as they begin, and find ``children/sitecustomize.py`` there.
"""

from __future__ import annotations

import os
import shutil
import sys


def environment_for_children() -> dict[str, str]:
    """The variables to set.

    ``python`` is the one that runs the script, where another would be found: that may have no
    Roastery.
    """
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "children")
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    before = os.pathsep.join(path for path in paths if path != folder)
    version = sys.version_info
    found = {
        "PYTHONPATH": os.pathsep.join([folder, before] if before else [folder]),
        "ROASTERY_CHILD_OF": f"{sys.prefix} {version[0]}.{version[1]}",
    }
    programs = os.path.dirname(sys.executable)
    python = shutil.which("python")
    if programs and (python is None or not _same(os.path.dirname(python), programs)):
        found["PATH"] = os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])
    return found


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
