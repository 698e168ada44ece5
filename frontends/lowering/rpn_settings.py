"""Settings of py-faster-rcnn's layers: those of its configuration, and what param_str says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from .anchors import Anchor, anchors_of, to_even
from .context import LayerContext
from .settings_text import SettingsError, settings_in

_PARAM = "param_str"


@dataclass(frozen=True)
class RpnSettings:
    """Names of the configuration in small letters; param_str may give each, in any letters.

    Defaults are those of rbgirshick/py-faster-rcnn: lib/fast_rcnn/config.py, and where training
    in one go needs others those of experiments/cfgs/faster_rcnn_end2end.yml. Of two values the
    first is for training, the second for testing.
    """

    feat_stride: float = 0.0  # has to be given
    num_classes: int = 0  # has to be given
    base_size: int = 16
    scales: Sequence[float] = (8.0, 16.0, 32.0)
    ratios: Sequence[float] = (0.5, 1.0, 2.0)
    allowed_border: float = 0.0
    rpn_pre_nms_top_n: Any = (12000, 6000)
    rpn_post_nms_top_n: Any = (2000, 300)
    rpn_nms_thresh: float = 0.7
    rpn_min_size: float = 16.0
    rpn_positive_overlap: float = 0.7
    rpn_negative_overlap: float = 0.3
    rpn_clobber_positives: bool = False
    rpn_fg_fraction: float = 0.5
    rpn_batchsize: int = 256
    rpn_bbox_inside_weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0)
    rpn_positive_weight: float = -1.0
    batch_size: int = 128
    fg_fraction: float = 0.25
    fg_thresh: float = 0.5
    bg_thresh_hi: float = 0.5
    bg_thresh_lo: float = 0.0
    bbox_inside_weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0)
    bbox_normalize_targets_precomputed: bool = True
    bbox_normalize_means: Sequence[float] = (0.0, 0.0, 0.0, 0.0)
    bbox_normalize_stds: Sequence[float] = (0.1, 0.1, 0.2, 0.2)
    agnostic: bool = False

    def anchors(self) -> list[Anchor]:
        return anchors_of(self.base_size, self.ratios, self.scales, to_even)


_LONG = {
    "rpn_bbox_inside_weights": 4,
    "bbox_inside_weights": 4,
    "bbox_normalize_means": 4,
    "bbox_normalize_stds": 4,
}
_POSITIVE = (
    "feat_stride", "num_classes", "base_size", "rpn_batchsize", "scales", "ratios",
    "bbox_normalize_stds",
)  # fmt: skip


def rpn_settings(ctx: LayerContext, *needed: str) -> RpnSettings:
    """What a layer's param_str makes of the defaults; ``needed`` has to be there."""
    text = ctx.param.param_str
    try:
        given = settings_in(text)
    except SettingsError as error:
        raise ctx.error(
            f"param_str cannot be read: {error}", _PARAM, "lines such as 'feat_stride': 16"
        ) from None
    known: dict[str, Any] = {field.name: field.default for field in fields(RpnSettings)}
    taken: dict[str, Any] = {}
    unread = []
    for name, value in given.items():
        key = name.lower()
        if key not in known:
            unread.append(name)
            continue
        taken[key] = _checked(ctx, key, known[key], value)
    for name in needed:
        ctx.check(name in taken, f"param_str has no '{name}'", _PARAM, f"'{name}': NUMBER")
    if unread:
        ctx.note(f"param_str: {', '.join(unread)} is not read", _PARAM)
    phase = 0 if ctx.train else 1
    for name in ("rpn_pre_nms_top_n", "rpn_post_nms_top_n"):
        taken.setdefault(name, known[name][phase])
    return replace(RpnSettings(), **taken)


def _checked(ctx: LayerContext, name: str, default: Any, value: Any) -> Any:
    """A value of the kind of the default."""
    if isinstance(default, tuple) and name.startswith("rpn_p"):
        default = 0  # one number for the phase at hand
    if isinstance(default, tuple):
        items = value if isinstance(value, list) else [value]
        numbers = [_number(ctx, name, 0.0, item) for item in items]
        count = _LONG.get(name)
        ctx.check(
            len(numbers) == count if count else bool(numbers),
            f"param_str: '{name}' has {len(numbers)} number(s)",
            _PARAM,
            f"{count} are expected" if count else "give at least one",
        )
        return tuple(numbers)
    if isinstance(default, bool):
        ctx.check(
            isinstance(value, bool), f"param_str: '{name}' is {value!r}", _PARAM, "True or False"
        )
        return value
    return _number(ctx, name, default, value)


def _number(ctx: LayerContext, name: str, default: float, value: Any) -> float:
    whole = isinstance(default, int)
    real = isinstance(value, int | float) and not isinstance(value, bool)
    fits = real and math.isfinite(value) and (not whole or value == int(value))
    fits = fits and (abs(value) < 1e9 and (value == 0 or abs(value) > 1e-9))
    ctx.check(
        fits,
        f"param_str: '{name}' is {value!r}",
        _PARAM,
        f"a {'whole number' if whole else 'number'} is expected",
    )
    if name == "batch_size":
        ctx.check(
            value > 0 or value == -1,
            f"param_str: '{name}' is {value}",
            _PARAM,
            "it must be more than 0, or -1: all",
        )
    if name in _POSITIVE:
        ctx.check(value > 0, f"param_str: '{name}' is {value}", _PARAM, "it must be more than 0")
    return int(value) if whole else float(value)
