"""What multibox_loss_param and the shapes of the bottoms say, checked."""

from __future__ import annotations

from dataclasses import dataclass

from frontends.prototxt.message import Message

from ..context import LayerContext
from ..ground_truth import LABEL, WIDTH
from ..loss_terms import check_equal_batches


@dataclass(frozen=True)
class Settings:
    """Of one MultiBoxLoss layer.

    Attributes:
        param: its MultiBoxLossParameter.
        batch: images. priors: boxes per image. classes: scores per prior.
        kinds: offsets per prior: 1 where classes share them, else one per class.
        background: the class of what is no object; -1: there is none.
    """

    param: Message
    batch: int
    priors: int
    classes: int
    kinds: int
    background: int

    @property
    def shared(self) -> bool:
        return bool(self.param.share_location)

    @property
    def mines(self) -> bool:
        return bool(self.param.mining_type != "NONE")

    @property
    def softmax(self) -> bool:
        return bool(self.param.conf_loss_type == "SOFTMAX")

    @property
    def per_kind(self) -> bool:
        """Whether each class is matched for itself, by its own predictions."""
        return not self.shared and not self.param.use_prior_for_matching


def read_settings(ctx: LayerContext) -> Settings:
    """Raises RoasteryError for what SSD's LayerSetUp and Reshape refuse."""
    p = ctx.param
    offsets, scores, prior = ctx.bottoms[:3]
    names = ctx.layer.bottom
    ctx.check(p.has("num_classes"), "num_classes is missing", "num_classes", "with the background")
    classes = p.num_classes
    ctx.check(classes >= 1, f"num_classes is {classes}", "num_classes", "at least 1")
    background = p.background_label_id
    if background >= 2**31:  # a uint32 that Caffe reads as int: -1 is none
        background -= 2**32
    _check_choices(ctx, classes, background)
    for name, value in zip(names[:2], (offsets, scores), strict=True):
        ctx.check(
            value.type.rank >= 1,
            f"'{name}' has no axes; a row per image is expected",
            "bottom",
        )
    check_equal_batches(ctx)
    ctx.check(
        len(prior.shape) == 3 and prior.type.size == 2 * prior.shape[2],
        f"'{names[2]}' has shape {list(prior.shape)}; (1, 2, P * 4) is expected",
        "bottom",
        "boxes of P priors and their variances, as PriorBox gives them",
        index=2,
    )
    priors = prior.shape[2] // 4
    ctx.check(
        priors * 4 == prior.shape[2],
        f"'{names[2]}' has shape {list(prior.shape)}: 4 numbers a prior are expected",
        "bottom",
        index=2,
    )
    kinds = 1 if p.share_location else classes
    batch = offsets.shape[0]
    for index, (value, width, what) in enumerate(
        ((offsets, kinds * 4, "offsets"), (scores, classes, "scores"))
    ):
        ctx.check(
            value.type.size == batch * priors * width,
            f"'{names[index]}' has shape {list(value.shape)}; for {priors} priors "
            f"{priors * width} {what} an image are expected",
            "bottom",
            f"{width} per prior: see num_classes ({classes}) and share_location",
            index=index,
        )
    if not p.map_object_to_agnostic:
        ctx.takes_boxes(3, classes, background, (WIDTH, LABEL))
    return Settings(p, batch, priors, classes, kinds, background)


def _check_choices(ctx: LayerContext, classes: int, background: int) -> None:
    """What may not stand together."""
    p = ctx.param
    mines = p.mining_type != "NONE"
    if p.has("do_neg_mining"):
        ctx.check(
            p.do_neg_mining == mines,
            f"do_neg_mining is {str(p.do_neg_mining).lower()} and mining_type {p.mining_type}",
            "do_neg_mining",
            "do_neg_mining is out of date: leave it out and give mining_type",
        )
        ctx.note("do_neg_mining is out of date: mining_type says the same", "do_neg_mining")
    ctx.check(
        p.share_location or not mines,
        f"mining_type is {p.mining_type} where share_location is false",
        "mining_type",
        "offsets per class are trained with mining_type: NONE",
    )
    ctx.check(
        0 <= background < classes or (p.conf_loss_type == "LOGISTIC" and background < classes),
        f"background_label_id is {background} of {classes} classes",
        "background_label_id",
        "0 to num_classes - 1",
    )
    ctx.check(
        p.mining_type != "HARD_EXAMPLE" or p.sample_size > 0,
        f"sample_size is {p.sample_size}",
        "sample_size",
        "at least 1 with mining_type: HARD_EXAMPLE",
    )
    if p.map_object_to_agnostic:
        wanted = 2 if background >= 0 else 1
        ctx.check(
            classes == wanted,
            f"num_classes is {classes} with map_object_to_agnostic",
            "num_classes",
            f"objects are one class: {wanted}",
        )
