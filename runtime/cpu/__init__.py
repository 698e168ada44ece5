"""The executor ``cpu``: kernels printed as C, run by threads.

:mod:`.backend` compiles a graph, or reads its plan; :mod:`.code` has its kernels as functions of
this process (:mod:`.shared_code`); :mod:`.launcher` gives them arguments, :mod:`.graph` makes a
table of launches (:mod:`.launches`), and :mod:`.pool` runs it.
"""
