"""What a layer type takes, and what is true of it whatever its parameters say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from frontends.prototxt.message import Message
from frontends.schema.types import MessageType

Count = int | tuple[int, int | None]
"""A number, or (smallest, largest); None: any number."""


Coordinates = Literal["", "kept", "windows", "spread", "cut"]
"""What is where: as in the bottom; the middle of a window of it; the reverse of that; a part of it.
Caffe: python/caffe/coord_map.py."""

Judged = Literal["", "detections", "overlaps", "pixels"]


@dataclass(frozen=True)
class LayerType:
    """A layer type.

    Attributes:
        param: the field of LayerParameter that holds its parameters (``pooling_param``).
        message: type of that field, for a layer that is not Caffe's: declares the field.
        bottoms, tops: how many.
        same_count: as many tops as bottoms.
        loss: gets a top by itself if it has none, with loss_weight 1.
        weightless: of a loss: whether a layer that gives no loss_weight has none, as some forks'
            losses that leave out what Caffe's do when they are set up.
        no_gradient_to: bottoms that never get a diff (labels), even under force_backward.
        in_place: may write its top over its bottom.
        fed: the caller feeds its tops. source: the runtime does.
        host: runs on the host. user_code: as code that the user names. deployed: as a net in
            another file, which tells the shapes of its tops.
        note: where Roastery differs from Caffe on purpose; docs/layers.md shows it.
        fork: whose layer it is, if not Caffe's own.
        fork_fields: fields that forks added to the parameters of Caffe's layer and that are
            honoured here.
        also: further fields of LayerParameter it reads.
        shares_data: each top is its bottom's data under another shape (Caffe: Blob::ShareData).
        is_split: gives its bottom further names, and does nothing else.
        inner_softmax: Caffe's layer makes a Softmax layer inside, which its log shows.
        probabilities: of a loss: the type of layer that makes probabilities of its first bottom,
            and stands in its place where a net is deployed.
        judges: what its top says of results, which has no mean over batches. "detections": rows
            that say of each whether it is right, and how many objects there are; average
            precisions are made of them. "overlaps": a number for each class, below 0 for one that
            is not there. "pixels": measures of counted pixels, whose sums are its state if its
            field ``reset`` is false.
        coordinates: how those of its top lie in its bottom; "": nothing is known of that.
    """

    name: str
    _: KW_ONLY
    param: str = ""
    message: MessageType | None = None
    bottoms: Count = 1
    tops: Count = 1
    same_count: bool = False
    loss: bool = False
    weightless: Callable[[Message], bool] = lambda layer: False
    no_gradient_to: tuple[int, ...] = ()
    in_place: bool = False
    fed: bool = False
    source: bool = False
    host: bool = False
    user_code: bool = False
    deployed: bool = False
    note: str = ""
    fork: str = ""
    fork_fields: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    shares_data: bool = False
    is_split: bool = False
    inner_softmax: bool = False
    probabilities: str = ""
    judges: Judged = ""
    coordinates: Coordinates = ""

    @property
    def bottom_range(self) -> tuple[int, int | None]:
        """Smallest and largest number of bottoms; None: any number."""
        return _range(self.bottoms)

    @property
    def top_range(self) -> tuple[int, int | None]:
        """As ``bottom_range``, of tops."""
        return _range(self.tops)

    def own_loss_weight(self, layer: Message) -> float:
        """The weight of the first top where the layer gives no loss_weight."""
        return 1.0 if self.loss and not self.weightless(layer) else 0.0

    @property
    def title(self) -> str:
        """The type with its article, as messages say it: an InnerProduct layer."""
        # By sound, for names that are spelled: an LRN, an HDF5Data, an SPP; but a ReLU.
        spelled = len(self.name) > 1 and self.name[:2].isupper()
        vowel = self.name[:1] in ("AEFHILMNORSX" if spelled else "AEIO")
        return f"{'an' if vowel else 'a'} {self.name} layer"


def _range(count: Count) -> tuple[int, int | None]:
    return (count, count) if isinstance(count, int) else count
