"""``roastery export --format torch``: a net with its weights as a module for PyTorch."""

from __future__ import annotations

import os

import numpy as np

from compiler.pytorch.module import write_module
from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.program import NetProgram
from ir.size import value_of
from runtime.artifact.pictures import NO_PICTURES, Pictures
from runtime.artifact.weights import weights_bytes
from runtime.memory.store import Store

from .._version import __version__
from ..building.logger import logger_report
from ..devices.compile_options import NOTHING_ASKED, device_options
from .deployed import Exported, tell_left_out
from .export_folder import write_folder
from .targets import ANY_CPU
from .torch_pictures import picture_definitions

MODULE = "net.py"
WEIGHTS = "net.safetensors"


def export_torch(
    program: NetProgram,
    message: Message,
    store: Store,
    folder: str | os.PathLike[str],
    source: str = "",
    pictures: Pictures = NO_PICTURES,
) -> Exported:
    """Write a folder with ``net.py`` and ``net.safetensors``. Needs no PyTorch.

    Args:
        message: the net as it was lowered.
        source: the name of the prototxt.
        pictures: how they become the net's input, and what classes are called.

    Raises RoasteryError for layers that cannot be written, all of them, and where the folder
    cannot be.
    """
    tell_left_out(program)
    layers = zip(program.layers, message.layer, strict=True)
    settings = {info.key: layer for info, layer in layers}
    shapes = {p.name: tuple(map(value_of, p.value.shape)) for p in program.graph.inputs}
    taken = pictures.preprocessing.input if pictures.preprocessing else ""
    definitions = picture_definitions(pictures, shapes.get(taken, ()))
    written = write_module(program, settings, __version__, source, definitions)
    arrays = {name: _known(store.data[v].peek()) for name, v in written.tensors.items()}
    files = {MODULE: written.text.encode(), WEIGHTS: weights_bytes(arrays)}
    folder = os.fspath(folder)
    if not folder:
        raise RoasteryError("no folder is named", hint="--output FOLDER")
    write_folder(folder, files, ())
    nbytes = sum(map(len, files.values()))
    options = device_options(ANY_CPU, NOTHING_ASKED, logger_report().warn)
    return Exported(("PyTorch",), options, 0, nbytes, (), folder)


def _known(array: np.ndarray) -> np.ndarray:
    """Of a type that PyTorch computes with: it does not with unsigned numbers."""
    return array.astype(np.int64) if array.dtype.kind == "u" else array
