"""Training by several processes, each with a copy of the net: data parallel, synchronous.

Caffe: src/caffe/parallel.cpp, docs/multigpu.md.
"""
