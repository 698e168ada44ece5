"""``roastery export --format torch``: a net with its weights as a module for PyTorch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from compiler.pytorch.module import write_module
from compiler.target import Target
from frontends.prototxt import Message
from ir.errors import RoasteryError
from ir.op import Property
from ir.program import NetProgram
from runtime.memory.store import Store

from .._version import __version__
from ..building.logger import LOGGER, logger_report
from ..devices.compile_options import NOTHING_ASKED, device_options
from .deployed import Exported
from .export_folder import write_folder

MODULE = "net.py"
WEIGHTS = "net.safetensors"


def export_torch(
    program: NetProgram,
    message: Message,
    store: Store,
    folder: str | os.PathLike[str],
    source: str = "",
) -> Exported:
    """Write a folder with ``net.py`` and ``net.safetensors``. Needs no PyTorch.

    Args:
        message: the net as it was lowered.
        source: the name of the prototxt.

    Raises RoasteryError for layers that cannot be written, all of them, and where the folder
    cannot be.
    """
    for node in program.graph.nodes:
        if node.op.properties & Property.EFFECT and not node.outputs:
            LOGGER.warning("%s is left out: a module has no place for it", node.location)
    layers = zip(program.layers, message.layer, strict=True)
    settings = {info.key: layer for info, layer in layers}
    written = write_module(program, settings, __version__, source)
    arrays = {name: store.data[variable].peek() for name, variable in written.tensors.items()}
    files = {MODULE: written.text.encode(), WEIGHTS: _safetensors(arrays)}
    folder = os.fspath(folder)
    if not folder:
        raise RoasteryError("no folder is named", hint="--output FOLDER")
    write_folder(folder, files, ())
    nbytes = sum(map(len, files.values()))
    options = device_options(Target("cpu", "any CPU"), NOTHING_ASKED, logger_report().warn)
    return Exported(("PyTorch",), options, 0, nbytes, (), folder)


def _safetensors(arrays: Mapping[str, np.ndarray]) -> bytes:
    from safetensors.numpy import save

    whole: dict[str, Any] = {
        name: np.array(array, array.dtype if array.dtype.kind != "u" else np.int64, order="C")
        for name, array in sorted(arrays.items())
    }
    return save(whole)
