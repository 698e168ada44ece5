"""Helper functions that kernels use, as source text; a kernel's file holds those it needs.

All are made of Triton's language alone. Accuracy is that of float32 throughout (a few
units in the last place), including near the zeros of log1p, expm1 and tanh.
"""

from __future__ import annotations

import re

_SOURCE = '''\
@triton.jit
def philox_uniform(seed, c0, c1, c2):
    """Uniform in [0, 1): first word of Philox 4x32-10 at counter (c0, c1, c2, 0)."""
    key = tl.cast(seed, tl.uint32)
    x0 = tl.cast(c0, tl.uint32)
    x1 = tl.cast(c1, tl.uint32)
    x2 = tl.cast(c2, tl.uint32)
    word, _, _, _ = tl.philox(key, x0, x1, x2, tl.cast(0, tl.uint32))
    return tl.uint_to_uniform_float(word)

@triton.jit
def log1p(x):
    """log(1 + x): the rounding error of 1 + x is divided out again."""
    u = 1.0 + x
    near = tl.log(u) * (x / (u - 1.0))
    return tl.where(u == 1.0, x, tl.where(u == float("inf"), u, near))

@triton.jit
def expm1(x):
    """exp(x) - 1: Taylor's series where the subtraction would lose digits."""
    s = 1.0 + x / 9
    s = 1.0 + x * s * (1.0 / 8)
    s = 1.0 + x * s * (1.0 / 7)
    s = 1.0 + x * s * (1.0 / 6)
    s = 1.0 + x * s * (1.0 / 5)
    s = 1.0 + x * s * (1.0 / 4)
    s = 1.0 + x * s * (1.0 / 3)
    s = 1.0 + x * s * (1.0 / 2)
    return tl.where(tl.abs(x) < 0.5, x * s, tl.exp(x) - 1.0)

@triton.jit
def tanh(x):
    """Hyperbolic tangent, by expm1 of a number that cannot overflow."""
    t = expm1(-2.0 * tl.abs(x))
    y = -t / (2.0 + t)
    return tl.where(x < 0, -y, y)

@triton.jit
def sigmoid(x):
    """1 / (1 + exp(-x)); an overflow of exp gives 0."""
    return 1.0 / (1.0 + tl.exp(-x))

@triton.jit
def power(x, y):
    """x ** y for all signs: of a negative x only whole powers exist."""
    size = tl.exp(y * tl.log(tl.abs(x)))
    whole = tl.floor(y) == y
    odd = tl.floor(y * 0.5) * 2.0 != y
    signed = tl.where(whole, tl.where(odd, -size, size), float("nan"))
    value = tl.where(x < 0, signed, size)
    return tl.where(y == 0, 1.0, tl.where(x == 1.0, 1.0, value))

@triton.jit
def nan_max(x, axis: tl.constexpr):
    """Largest element along an axis, kept with extent 1; NaN if any element is NaN."""
    strange = tl.max((x != x).to(tl.int32), axis, keep_dims=True)
    return tl.where(strange > 0, float("nan"), tl.max(x, axis, keep_dims=True))

@triton.jit
def nan_min(x, axis: tl.constexpr):
    """Smallest element along an axis, kept with extent 1; NaN if any element is NaN."""
    strange = tl.max((x != x).to(tl.int32), axis, keep_dims=True)
    return tl.where(strange > 0, float("nan"), tl.min(x, axis, keep_dims=True))

@triton.jit
def quotient(a, b, reciprocal):
    """a // b of whole numbers from 0 on: the high half of the product with (2**32 - 1) // b, or one
    more."""
    found = tl.umulhi(a.to(tl.uint32), tl.cast(reciprocal, tl.uint32)).to(tl.int32)
    return found + (a - found * b >= b).to(tl.int32)

@triton.jit
def remainder(a, b, reciprocal):
    """a % b, likewise."""
    return a - quotient(a, b, reciprocal) * b

@triton.jit
def multiply(a, b):
    return a * b

@triton.jit
def join(a, b):
    return a | b

@triton.jit
def order_key(x):
    """An integer that is greater for greater numbers; for NaN the greatest there is."""
    bits = x.to(tl.int32, bitcast=True)
    key = tl.where(x == 0.0, 0, bits ^ ((bits >> 31) & 0x7FFFFFFF))
    return tl.where(x != x, 0x7FFFFFFF, key)

@triton.jit
def rounded(x):
    """x: a kernel in whose file this stands is compiled so that no product and sum round once."""
    return x

@triton.jit
def tf32_part(x):
    """What matrix units read of a float32 as tf32: the sign, the exponent, 10 bits."""
    return (x.to(tl.int32, bitcast=True) & -8192).to(tl.float32, bitcast=True)

@triton.jit
def dot_tf32x3(a, b, total):
    """total + a b, as exact as float32, by three products of matrix units.

    Those cut off what they add up, more the longer they do: so each step's sum is begun anew.
    An infinity among the factors makes NaN.
    """
    a_high = tf32_part(a)
    b_high = tf32_part(b)
    part = tl.dot(a - a_high, b_high, input_precision="tf32")
    part = tl.dot(a_high, b - b_high, part, input_precision="tf32")
    part = tl.dot(a_high, b_high, part, input_precision="tf32")
    return total + part
'''
HELPERS = {
    match[1]: match[0].strip() + "\n"
    for match in re.finditer(r"@triton\.jit\ndef (\w+)(?:(?!@triton).)*", _SOURCE, re.DOTALL)
}
# Helpers that others call.
_CALLED = {"tanh": ("expm1",), "dot_tf32x3": ("tf32_part",), "remainder": ("quotient",)}


def source_of(names: list[str]) -> str:
    """Source of the helpers and of those they call, each once, callees first."""
    needed = dict.fromkeys(n for name in names for n in (*_CALLED.get(name, ()), name))
    return "".join("\n\n" + HELPERS[name] for name in needed)
