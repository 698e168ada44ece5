"""Choices of tile and split that were measured on a device, and what finds them again.

A group of ops is known by what it computes on which sizes (``key.py``). What was best for it on a
device (``entry.py``) lies in the cache folder (``store.py``) or in a file that can be shipped
(``table.py``); ``lowering.py`` makes its kernels so. Without an entry a group is computed as the
cost model would have it.
"""
