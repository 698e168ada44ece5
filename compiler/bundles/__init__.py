"""Several small kernels in one launch.

Copies of weights, sums of partial results and the like take a microsecond or two, as long as a
launch costs. Those that need nothing of each other become one kernel: each of its programs belongs
to one of them, by its number.
"""
