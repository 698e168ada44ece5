"""How exact numbers are: what ``--precision`` chooses from.

=========== ====================================================================================
float32     products are float32: where a device has matrix units for tf32, three products of parts
            of the factors, as exact; elsewhere its own
tf32        factors are rounded to 11 significant bits, sums are float32
bfloat16    what kernels store for each other has 8 significant bits, factors too; sums are float32
float16     likewise, of 11 significant bits and a smaller range
ieee        products and sums are float32's as IEEE 754 has them
=========== ====================================================================================
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy comes with it, for which `--help` does not wait
    from ir.types import DType

FLOAT32, TF32, BFLOAT16, FLOAT16, IEEE = "float32", "tf32", "bfloat16", "float16", "ieee"
PRECISIONS = (FLOAT32, TF32, BFLOAT16, FLOAT16, IEEE)
"""In this order they are listed."""

OTHER_NAMES = {
    **dict.fromkeys(("fp32", "f32", "single", "float", "full", "fp32x3", "tf32x3"), FLOAT32),
    **dict.fromkeys(("bf16", "brain", "bfloat"), BFLOAT16),
    **dict.fromkeys(("fp16", "f16", "half"), FLOAT16),
    **{name: name for name in PRECISIONS},
}
"""What others call the precisions, in small letters."""

ON_CPUS = (FLOAT32, BFLOAT16, IEEE)
"""Of CPUs for which there are kernels."""

TF32X3 = "tf32x3"
"""How kernels multiply float32 by three products of tf32: hi * hi + hi * lo + lo * hi."""

HALF = "half"
"""How kernels multiply 16-bit floats: there is but one way."""


def factors_precision(precision: str, device: Collection[str]) -> str:
    """How a kernel multiplies float32 matrices: ``ieee``, ``tf32`` or ``tf32x3``.

    ``device``: the precisions that it has. Precisions of artifacts may be later ones.
    """
    if precision in (IEEE, TF32):
        return precision
    return TF32X3 if TF32 in device else IEEE


def narrow_type(precision: str) -> DType | None:
    """The type that kernels store for each other, if it has 16 bits."""
    from ir.types import BF16, F16

    return {BFLOAT16: BF16, FLOAT16: F16}.get(precision)


_ERRORS = {TF32: 5e-3, BFLOAT16: 2e-2, FLOAT16: 3e-3}
_EXACT = 1e-4


def kernel_tolerance(precision: str) -> float:
    """How far results of a kernel may be from those in double precision, on the same operands,
    relative to the largest."""
    return _ERRORS.get(precision, _EXACT)
