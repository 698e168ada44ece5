"""The executor ``cuda``: the backend, the executor of its graphs, its launcher, libcuda."""
