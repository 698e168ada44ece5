"""Floats of 16 bits between kernels.

Before (``fuse`` has made kernels)::

    %c: f32[N,64,28,28] = fused(%x, %w) label="conv" schedule="contract" ...
    %y: f32[N,64,28,28] = fused(%c, %scale, %shift) label="bn_relu" schedule="flat" ...

After, with ``--precision bfloat16``: what kernels store for each other has 16 bits, and products
take factors of 16 bits; inside of a kernel numbers are f32::

    %w.bf16: bf16[64,64,3,3] = fused(%w) label="cast_w" schedule="flat" ...
    %c: bf16[N,64,28,28] = fused(%x, %w.bf16) label="conv" schedule="contract" ... {
      %c.f32: f32[N,64,28,28] = conv(%x, %w.bf16) ...
      %c: bf16[N,64,28,28] = map(%c.f32) {to_bf16(a0)}
    }
    %y: bf16[N,64,28,28] = fused(%c, %scale, %shift) label="bn_relu" schedule="flat" ...

What stays f32 is in :mod:`.storage`.
"""

from .narrow_constants import narrow_constants
from .narrow_storage import narrow_storage

__all__ = ["narrow_constants", "narrow_storage"]
