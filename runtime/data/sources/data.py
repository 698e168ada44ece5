"""Data: Datum records of an LMDB or LevelDB. Caffe: src/caffe/layers/data_layer.cpp."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import OpenOptions
from ..datums.pair_source import PairSource
from ..datums.settings import DatumSettings
from ..datums.source import DatabaseSource


@dataclass(frozen=True, kw_only=True)
class DataConfig(DatumSettings):
    """Data: Datum records of an LMDB or LevelDB; see `DatumSettings`."""

    kind = "Data"

    def open(self, options: OpenOptions) -> DatabaseSource:
        if self.images_per_blob == 1:
            return DatabaseSource(self, options)
        return PairSource(self, options)
