"""Settings of pictures with boxes that no picture can meet, or that cannot go together."""

from __future__ import annotations

from ..augment.distort import distort_mistake
from ..boxes.sampling import check_samplers
from ..config import TransformConfig
from .settings import AnnotatedSettings

_MOST_EXPANDED = 1000


def check_settings(config: AnnotatedSettings) -> None:
    """Raises RoasteryError at the setting that is wrong."""
    transform = config.transform or TransformConfig()
    check_samplers(config, config.batch_sampler)
    _check_transform(config, transform)
    if not 0 <= config.jitter <= 1:
        raise config.error(
            f"yolo_data_jitter is {config.jitter:g}",
            "yolo_data_jitter",
            "from 0 to 1: the part of a picture that may be left out",
        )
    if config.side and not transform.caffe_yolo:
        raise config.error(
            f"side gives {len(config.side)} grids of labels, which only caffe_yolo fills",
            "side",
            "set transform_param { caffe_yolo: true resize_param { height: S width: S } }",
        )
    if config.masked:
        _check_masked(config, transform)


def _check_transform(config: AnnotatedSettings, transform: TransformConfig) -> None:
    if transform.distort_param is not None:
        mistake = distort_mistake(transform.distort_param)
        if mistake is not None:
            raise config.error(mistake[0], "transform_param.distort_param", mistake[1])
    expand = transform.expand_param
    if expand is None:
        return
    if not 1 < expand.max_expand_ratio <= _MOST_EXPANDED:
        raise config.error(
            f"max_expand_ratio is {expand.max_expand_ratio:g}",
            "transform_param.expand_param",
            f"more than 1, at most {_MOST_EXPANDED}; leave expand_param out to expand nothing",
        )
    if transform.mean_file:
        raise config.error(
            "expand_param is given with a mean_file: pictures grow to sizes that it does not have",
            "transform_param.expand_param",
            "give mean_value, one for each channel; the canvas gets it too",
        )


def _check_masked(config: AnnotatedSettings, transform: TransformConfig) -> None:
    """Labels of pixels follow windows and mirrors alone, as in MobileNet-YOLO."""
    for field, moved in (
        ("expand_param", transform.expand_param is not None),
        ("crop_size", transform.crop_size > 0),
        ("crop_h", transform.crop_h > 0),
        ("crop_w", transform.crop_w > 0),
        ("resize_param", any(size.resize_mode != "WARP" for size in transform.sizes)),
    ):
        if moved:
            raise config.error(
                f"{field} would move pictures away from their labels of pixels, which are cropped "
                "by batch_sampler or yolo_data_jitter, warped and mirrored, and no more",
                f"transform_param.{field}",
                "use resize_param of resize_mode: WARP alone, or leave the third top out",
            )
    for field in ("seg_resize_height", "seg_resize_width"):
        if getattr(config, field) < 0:
            raise config.error(f"{field} is {getattr(config, field)}", field, "0 or more")
    if config.seg_scales < 1:
        raise config.error(f"seg_scales is {config.seg_scales}", "seg_scales", "at least 1")
