"""What pictures with boxes are asked for: AnnotatedData's blocks."""

from __future__ import annotations

from dataclasses import dataclass

from ..boxes.sampling import BatchSamplerConfig
from ..boxes.tops import GRID_NUMBERS, SSD_COLUMNS, YOLO_BOXES, YOLO_COLUMNS
from ..config import Axis
from ..record_source import RecordConfig

DEFAULT_JITTER = 0.3


@dataclass(frozen=True, kw_only=True)
class AnnotatedSettings(RecordConfig):
    """Pictures with boxes, of an LMDB or LevelDB.

    ``anno_type`` replaces what records say of their annotations. ``label_map_file`` is read for
    masks of several classes alone; else it is there for people, as in weiliu89/caffe.

    MobileNet-YOLO's: ``yolo_data_type`` 1 gives (N, 1, 300, 5) labels, with difficult objects
    if ``train_diffcult``; ``yolo_data_jitter`` crops pictures where there is no ``batch_sampler``;
    from ``single_class`` on, the third top, of masks. Synopsys': ``side`` of each grid of labels,
    and ``random`` sizes.
    """

    made_up_label = -1.0
    annotated = True

    batch_sampler: tuple[BatchSamplerConfig, ...] = ()
    label_map_file: str = ""
    anno_type: str | None = None
    yolo_data_type: int = 0
    yolo_data_jitter: float | None = None
    train_diffcult: bool = True
    difficult_label_warmup: bool = False
    single_class: bool = True
    seg_scales: int = 8
    seg_resize_width: int = 0
    seg_resize_height: int = 0
    side: tuple[int, ...] = ()
    random: bool = False

    @property
    def jitter(self) -> float:
        """How much of pictures is cropped at random. MobileNet-YOLO's default of 0.3 counts where
        a layer is certainly its: SSD's layer does no such thing."""
        if self.batch_sampler:
            return 0.0
        if self.yolo_data_jitter is not None:
            return self.yolo_data_jitter
        several = self.transform is not None and bool(self.transform.further_resize_param)
        return DEFAULT_JITTER if self.yolo_data_type == 1 or several or self.masked else 0.0

    @property
    def masked(self) -> bool:
        """Whether it gives labels of pixels."""
        return len(self.tops) == 3 and not self.side

    def beside(self, images: tuple[Axis, ...]) -> list[tuple[Axis, ...]]:
        if self.side:
            return [(images[0], GRID_NUMBERS * side * side) for side in self.side]
        boxes: tuple[Axis, ...] = (1, 1, 1, SSD_COLUMNS)
        if self.yolo_data_type == 1:
            boxes = (images[0], 1, YOLO_BOXES, YOLO_COLUMNS)
        classes: Axis = 1 if self.single_class else "K"
        return [boxes, (images[0], classes, *self.mask_size(images))]

    def mask_size(self, images: tuple[Axis, ...]) -> tuple[Axis, ...]:
        """Height and width of MobileNet-YOLO's labels of pixels."""
        if self.seg_resize_height and self.seg_resize_width:
            return self.seg_resize_height, self.seg_resize_width
        scale = max(self.seg_scales, 1)
        return tuple(
            int(axis) // scale if str(axis).isdigit() else f"{axis}/{scale}" for axis in images[2:4]
        )
