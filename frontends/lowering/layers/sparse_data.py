"""SparseData. jolibrain/caffe: src/caffe/layers/sparse_data_layer.cpp."""

from __future__ import annotations

from ..registry import layer
from .inputs import lower_fed

layer(
    "SparseData",
    param="data_param",
    bottoms=0,
    tops=(1, 2),
    source=True,
    fork="jolibrain",
    note="Its rows are made dense.",
)(lower_fed)
