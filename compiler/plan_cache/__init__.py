"""Plans kept between runs: what was compiled once is read back, without passes and kernels' nodes.

A warm start then takes what the frontends take, and little more.
"""
