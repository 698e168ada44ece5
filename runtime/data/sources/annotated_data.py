"""AnnotatedData: pictures with boxes, of a database, and random windows of them.

weiliu89/caffe: src/caffe/layers/annotated_data_layer.cpp; with what eric612/MobileNet-YOLO and
foss-for-synopsys-dwc-arc-processors/synopsys-caffe added in files of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..annotated.placed_source import PlacedSource
from ..annotated.settings import AnnotatedSettings
from ..annotated.source import AnnotatedSource
from ..config import OpenOptions


@dataclass(frozen=True, kw_only=True)
class AnnotatedDataConfig(AnnotatedSettings):
    """AnnotatedData: pictures with boxes, of an LMDB or LevelDB; see `AnnotatedSettings`."""

    kind = "AnnotatedData"

    def open(self, options: OpenOptions) -> AnnotatedSource:
        placed = self.transform is not None and self.transform.caffe_yolo
        return PlacedSource(self, options) if placed else AnnotatedSource(self, options)
