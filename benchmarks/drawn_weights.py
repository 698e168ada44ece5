"""Random weights with which nets compute numbers of a size, as trained nets do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ir.program import NetProgram
from roastery.api.executable import Executable, Parameters


def draw_weights(program: NetProgram, parameters: Parameters, rng: np.random.Generator) -> None:
    """Such that no layer makes numbers much larger or smaller than it gets."""
    for layer in program.layers:
        if layer.type == "BatchNorm" or layer.key not in parameters:
            continue
        for array in parameters[layer.key]:
            if layer.type == "Scale":  # most ReLUs pass: else roundings grow from layer to layer
                array[...] = rng.normal(1.0, 0.1, array.shape)
            elif array.ndim > 1:
                spread = np.sqrt(2.0 / np.prod(array.shape[1:]))
                array[...] = spread * rng.standard_normal(array.shape, np.float32)
            else:
                array[...] = rng.normal(0.0, 0.05, array.shape)


def settle(executable: Executable, inputs: Mapping[str, np.ndarray]) -> None:
    """BatchNorm's means and variances are those of the inputs; probabilities are not all alike.

    Args:
        executable: of phase TRAIN.
    """
    executable(**inputs)
    found = executable(**inputs).get("prob")
    if found is None:
        return
    probabilities = np.log(found + 1e-30)
    spread = float(probabilities.reshape(len(found), -1).std(axis=1).mean())
    last = list(executable.parameters)[-1]
    for array in executable.parameters[last]:
        array /= max(spread, 1e-3) / 2.0
