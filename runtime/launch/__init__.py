"""Launchers: what turns a planned :class:`compiler.kernel.Launch` into a call.

A launcher's ``bind(launch, resolve)`` looks everything up once and returns a function that
only launches. ``resolve`` gives the storage of a value or scratch buffer: a flat numpy
array for the interpreter, a device address for CUDA.
"""
