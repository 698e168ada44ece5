"""The register schedule: a contraction in tiles that vector registers hold, by nested loops.

What CPUs want of a contraction. One axis lies in the lanes of vectors; so many vectors along it
(``R``) times so many positions along another axis (``U``) are summed in registers over the whole
depth, one loop per axis of it. Nothing is divided inside those loops, and no matrix is copied:
operands are read where they are, so their order in memory decides what is fast.

The lanes lie along an axis

* of the result: ``outer``. One operand is read as vectors, of the other an element is spread;
* that counts products (a depthwise convolution's channels): ``each``. Both operands are vectors;
* of the depth: ``inner``. Both operands are vectors, whose sums go across the lanes in the end.
"""
