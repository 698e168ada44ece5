"""Kernels as C, for CPUs: vectors by extensions of gcc and clang, threads by their caller.

:mod:`.lower` is the way of a group: schedules of CPUs make nodes of it (``compiler.kernels``), by
tiles that :mod:`.heuristic` and :mod:`.register_tiles` choose; from nodes to nodes :mod:`.tiles`,
:mod:`.addresses`, :mod:`.hoist`, :mod:`.transposes` and :mod:`.prefetches` say what C cannot;
:mod:`.printer` spells them (:mod:`.spelling`), with functions of :mod:`.support`.
:mod:`.compile` makes machine code of the text, :mod:`.export` a folder of C of a net, and
:mod:`.checked_file` a program of a kernel.
"""
