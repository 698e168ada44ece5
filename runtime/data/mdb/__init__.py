"""Reading LMDB without mapping it: a truncated or damaged file is an error, not a crash.

liblmdb trusts what it maps, and dies with SIGBUS or SIGSEGV on a file that was cut off
or overwritten. This reader takes the pages it needs with `pread`, checks every offset,
and lets several threads read values at once.

``file`` opens a data.mdb, ``meta`` reads its two meta pages, a ``snapshot`` is one committed
state of it, ``tree`` walks through the records of a snapshot. ``locks`` enters a snapshot into
LMDB's table of readers, so that no writer uses its pages again while they are read.

The format (LMDB 0.9, data version 1): fixed-size pages; pages 0 and 1 are the two meta
pages, of which the one with the higher transaction number counts; the records form a
B+tree of branch and leaf pages; values too large for a leaf lie in runs of overflow pages.
"""
