"""What Datum records are asked for: Data's blocks."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import Axis
from ..record_source import RecordConfig


@dataclass(frozen=True, kw_only=True)
class DatumSettings(RecordConfig):
    """Datum records of an LMDB or LevelDB. ``rand_skip`` is not read, as in Caffe.

    MyCaffe's: ``images_per_blob`` 2 gives pairs, whose labels are 1 where both pictures have the
    same, or both of them with ``output_all_labels``; with ``balance_matches`` every other pair is
    of one label, and the others are of two. ``label_type`` and ``one_hot_label_size`` are for
    shapes alone, refused where data is read.
    """

    label_type: str = "SINGLE"
    one_hot_label_size: int = 0
    images_per_blob: int = 1
    output_all_labels: bool = False
    balance_matches: bool = True

    def pictures_each(self) -> int:
        return max(1, self.images_per_blob)

    def beside(self, images: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
        """MyCaffe/MyCaffe: MyCaffe/layers/DataLayer.cs."""
        if self.label_type == "MULTIPLE" and self.one_hot_label_size > 0:
            return [(images[0], self.one_hot_label_size, 1, 1)]
        if self.label_type == "MULTIPLE":
            return [(images[0], "...")]
        if self.images_per_blob > 1:
            return [(images[0], self.images_per_blob if self.output_all_labels else 1)]
        return super().beside(images)
