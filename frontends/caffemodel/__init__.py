"""Caffe's files of numbers: weights, solver states and mean images, binary and HDF5."""

from __future__ import annotations

from .blobs import read_blob
from .content import is_hdf5
from .hdf5 import write_weights_hdf5
from .hdf5_names import normal_path
from .layer_weights import LayerWeights
from .state import SolverState, read_state, write_state, write_state_h5
from .weights import read_lent_weights, read_net_and_weights, read_weights, write_weights

__all__ = [
    "LayerWeights",
    "SolverState",
    "is_hdf5",
    "normal_path",
    "read_blob",
    "read_lent_weights",
    "read_net_and_weights",
    "read_state",
    "read_weights",
    "write_state",
    "write_state_h5",
    "write_weights",
    "write_weights_hdf5",
]
