"""Whether the memory of this machine holds what a data layer is asked for, before it is made."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ir.byte_size import byte_size
from ir.types import shape_text

from ..machine.memory import physical_memory
from .config import SourceConfig

_FLOAT_BYTES = 4
PLANNED_BYTES = 256
"""What a record of a batch takes before it is loaded: an object that says where it is, and its
random choices."""

BATCH_BYTES = 1024
"""What a batch takes besides its values."""


def check_batch(
    config: SourceConfig, records: int, row_shapes: Sequence[tuple[int, ...]], planned: int
) -> None:
    """Refuse a batch, or the batches that are read ahead, if they need more than there is.

    Args:
        records: the batch_size.
        row_shapes: shapes of one record's tops.
        planned: bytes that a record takes before it is loaded.

    Raises RoasteryError that names batch_size, what is needed, and what the machine has.
    """
    limit = physical_memory()
    values = sum(math.prod(shape) for shape in row_shapes)
    batch = records * (values * _FLOAT_BYTES + planned) + BATCH_BYTES
    what = f"{records} x {shape_text(row_shapes[0]) or 1} need {byte_size(batch)}"
    if batch > limit:
        raise config.error(
            f"batch_size is {records}: {what}; this machine has {byte_size(limit)} of memory",
            "batch_size",
            "use a smaller batch_size, or smaller records",
        )
    ahead = max(1, getattr(config, "prefetch", 1))
    if batch * ahead > limit:
        raise config.error(
            f"prefetch is {ahead} and batch_size {records}: {what}, {ahead} batches that are "
            f"read ahead {byte_size(batch * ahead)}; this machine has {byte_size(limit)} of memory",
            "prefetch",
            "use a smaller batch_size, or data_param { prefetch: 1 }",
        )


def check_record(config: SourceConfig, fields: str, shape: tuple[int, ...], field: str) -> None:
    """Refuse sizes of which one record alone needs more than the machine has.

    Args:
        fields: the prototxt fields that give the sizes, for the error: "crop_size is 9".
        shape: of the record.
        field: the first of them.
    """
    needed, limit = math.prod(shape) * _FLOAT_BYTES, physical_memory()
    if needed > limit:
        raise config.error(
            f"{fields}: {shape_text(shape)} values need {byte_size(needed)}; this machine has "
            f"{byte_size(limit)} of memory",
            field,
            "check the sizes",
        )
