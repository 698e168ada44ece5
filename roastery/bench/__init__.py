"""How long kernels and layers of a net take: `roastery bench`, which also holds each kernel against
the reference and the machine, and `roastery time`."""
