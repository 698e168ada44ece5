"""How groups become kernels: which loops, in what order, what is held in tiles or registers.

Of GPUs: :mod:`.flat`, :mod:`.reduce`, :mod:`.row`, :mod:`.contract`. Of CPUs: :mod:`.nests` in the
place of the first three, :mod:`.registers` in that of the last, :mod:`.patches` for Winograd's
transforms. Of both: :mod:`.single`.
"""
