"""Octave with a MEX file that is built once in a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ir.errors import RoasteryError
from roastery.matlab.libpython import python_places
from roastery.matlab.mex_file import build_mex, copy_interface, mex_compilers
from tests.support.octave_run import OctaveRun, OctaveSession, octave_command

SHAPES = """
name: "shapes" force_backward: true
layer { name: "in" type: "Input" top: "data" top: "scale" input_param {
  shape { dim: 2 dim: 3 dim: 4 dim: 5 } shape { dim: 3 } } }
layer { name: "both" type: "Scale" bottom: "data" bottom: "scale" top: "both"
  scale_param { axis: 1 } }
layer { name: "total" type: "Reduction" bottom: "both" top: "sum" }
layer { name: "copy" type: "Power" bottom: "both" top: "copied" }
"""


@pytest.fixture(scope="session")
def interface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to put on Octave's path, with the MEX file in it."""
    octave_command()
    try:
        python_places()
    except RoasteryError as error:
        pytest.skip(f"this Python cannot be embedded: {error}")
    home = tmp_path_factory.mktemp("matlab")
    copy_interface(home)
    build_mex(mex_compilers("mkoctfile")[0], home)
    return home


@pytest.fixture(scope="session")
def octave_session(interface: Path) -> Iterator[OctaveSession]:
    """One process of Octave, which must end well when all is done."""
    session = OctaveSession(interface)
    yield session
    session.end()


@pytest.fixture
def octave(octave_session: OctaveSession, interface: Path, tmp_path: Path) -> OctaveRun:
    """Octave, in a folder of the test's."""
    return OctaveRun(octave_session, interface, tmp_path)
