"""Loops along the digits of memory: what CPUs want of everything that is no contraction.

Memory counts a tensor's elements by digits: its axes, in their order, and blocks inside some of
them. A kernel whose loops run along those digits has every coordinate at hand, and divides nothing
by an element. Neighbouring digits that all operands count alike become one loop; the innermost one
lies in the lanes of vectors.
"""
