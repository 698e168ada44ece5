"""OpenCV 4 in a virtual environment of its own: OpenCV 5 reads no Caffe, and may be installed."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = ("opencv-python-headless==4.14.0.94", "numpy>=2.0")


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "roastery", "benchmarks", PACKAGES[0].replace("==", "-"))


def python() -> Path:
    """Its interpreter."""
    return _folder() / "bin/python"


@functools.cache
def missing() -> str | None:
    """Make the environment, where it is not there; why that fails, or None."""
    done = _folder() / "complete"
    if done.is_file():
        return None
    print(f"making an environment for {PACKAGES[0]} in {_folder()}", file=sys.stderr)
    try:
        venv.create(_folder(), with_pip=True, clear=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no environment can be made in {_folder()}: {error}"
    command = [python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    found = subprocess.run([*command, *PACKAGES], capture_output=True, text=True, check=False)
    if found.returncode:
        return f"pip cannot install {PACKAGES[0]}: {found.stderr.strip()[-300:]}"
    done.touch()
    return None
