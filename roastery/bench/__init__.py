"""``roastery bench``: the kernels of a net, each alone, against the reference and the machine."""
