"""The blocks of transform_param that SSD's branch added.

weiliu89/caffe: src/caffe/proto/caffe.proto. ``prob`` of noise_param, and of a resize_param that is
the only one, is read nowhere, as there (src/caffe/util/im_transforms.cpp): every picture is resized
and gets its noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

ResizeMode: TypeAlias = Literal["WARP", "FIT_SMALL_SIZE", "FIT_LARGE_SIZE_AND_PAD"]
PadMode: TypeAlias = Literal["CONSTANT", "MIRRORED", "REPEAT_NEAREST"]
Interpolation: TypeAlias = Literal["LINEAR", "AREA", "NEAREST", "CUBIC", "LANCZOS4"]


@dataclass(frozen=True)
class Block:
    """Settings in a message of their own: its fields have the names of those of ``message``.

    A field whose default is None is None where the message does not have it.
    """

    message: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class ResizeConfig(Block):
    """A size for every picture. ``height_scale`` and ``width_scale`` are what boxes are normalised
    by in FIT_SMALL_SIZE; one of ``interp_mode`` is drawn for each picture. ``prob``: of this size
    where there are several. ``jitter``: how far caffe_yolo of Synopsys' Caffe stretches pictures.
    """

    message = "ResizeParameter"

    resize_mode: ResizeMode = "WARP"
    height: int = 0
    width: int = 0
    height_scale: int = 0
    width_scale: int = 0
    pad_mode: PadMode = "CONSTANT"
    pad_value: tuple[float, ...] = ()
    interp_mode: tuple[Interpolation, ...] = ()
    prob: float = 1.0
    jitter: float = 0.3


@dataclass(frozen=True, kw_only=True)
class SaltPepperConfig(Block):
    """``fraction`` of the pixels become ``value``."""

    message = "SaltPepperParameter"

    fraction: float = 0.0
    value: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NoiseConfig(Block):
    """What is done to every picture after it was resized, in this order but for ``decolorize``,
    which comes first. ``jpeg``: a quality, or nothing below 1."""

    message = "NoiseParameter"

    decolorize: bool = False
    gauss_blur: bool = False
    hist_eq: bool = False
    clahe: bool = False
    jpeg: float = -1.0
    erode: bool = False
    posterize: bool = False
    inverse: bool = False
    saltpepper: bool = False
    saltpepper_param: SaltPepperConfig | None = None
    convert_to_hsv: bool = False
    convert_to_lab: bool = False


@dataclass(frozen=True, kw_only=True)
class DistortConfig(Block):
    """Random changes of colours: each with its probability, and between its bounds.

    ``exposure_lower`` and ``exposure_upper`` are Synopsys', of caffe_yolo alone.
    """

    message = "DistortionParameter"

    brightness_prob: float = 0.0
    brightness_delta: float = 0.0
    contrast_prob: float = 0.0
    contrast_lower: float = 0.0
    contrast_upper: float = 0.0
    hue_prob: float = 0.0
    hue_delta: float = 0.0
    saturation_prob: float = 0.0
    saturation_lower: float = 0.0
    saturation_upper: float = 0.0
    random_order_prob: float = 0.0
    exposure_lower: float = 0.0
    exposure_upper: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ExpandConfig(Block):
    """With ``prob``, a picture is put somewhere on a canvas up to ``max_expand_ratio`` as large."""

    message = "ExpansionParameter"

    prob: float = 1.0
    max_expand_ratio: float = 1.0


@dataclass(frozen=True, kw_only=True)
class EmitConfig(Block):
    """Which boxes stay after a crop: those whose centre is in it, or more than ``emit_overlap``
    of them."""

    message = "EmitConstraint"

    emit_type: Literal["CENTER", "MIN_OVERLAP"] = "CENTER"
    emit_overlap: float = 0.0
