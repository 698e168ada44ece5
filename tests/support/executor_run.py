"""One record on an executor: layer by layer, or as one graph with its backward."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compiler.options import CompileOptions
from compiler.partitions import by_layer
from ir.graph import Role
from ir.program import RANDOM_STATE, NetProgram
from runtime.backends.backend import Backend
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.layer_run import Arrays, LayerRun

Results = tuple[Arrays, Arrays]
"""Outputs with written variables, and diffs of inputs and parameters, by name."""


def rounded(run: LayerRun) -> LayerRun:
    """The record with values that float32 holds, so that its float64 results are the truth."""
    run.values = {
        name: a.astype(np.float32).astype(np.float64) if a.dtype == np.float64 else a
        for name, a in run.values.items()
    }
    return run


def seeds_of(run: LayerRun) -> Arrays:
    """A diff per output blob that has one."""
    rng = np.random.default_rng(5)
    return {
        p.name: rng.standard_normal(p.value.shape).astype(np.float32).astype(np.float64)
        for p in run.outputs()
        if p.value.type.dtype.is_float and p.name in run.program.outputs
    }


def layerwise(run: LayerRun, backend: Backend) -> Results:
    """One layer after the other, every blob kept."""
    net = PartitionedNet(
        run.program,
        backend,
        _store(run),
        partitioning=by_layer(run.program),
        options=CompileOptions(backend.target),
    )
    for name in run.program.inputs:
        net.blobs[name].data.array[...] = run.values[name]
    net.restore_random(net.store.data[RANDOM_STATE].array if RANDOM_STATE in net.store.data else ())
    net.forward()
    outputs = {name: net.blobs[name].data.array.copy() for name in run.program.outputs}
    for name, seed in seeds_of(run).items():
        net.blobs[name].diff.array[...] = seed
    outputs |= _states(run.program, net.store)
    net.backward()
    reached = {
        name
        for layer in run.program.layers
        for name, needed in zip(layer.bottoms, layer.backward_bottoms, strict=True)
        if needed
    }
    diffs = {
        name: net.blobs[name].diff.array.copy() for name in run.program.inputs if name in reached
    }
    return outputs, diffs | _gradients(net.store)


def fused(run: LayerRun, backend: Backend) -> Results:
    """Forward as one graph and backward as another, which keep only what they must."""
    net = PartitionedNet(run.program, backend, _store(run), options=CompileOptions(backend.target))
    net.inputs.take({name: run.values[name] for name in run.program.inputs})
    net.prepare_backward()
    net.forward()
    outputs = {name: net.output(name).copy() for name in run.program.outputs}
    outputs |= _states(run.program, net.store)
    diffs = {name: a.copy() for name, a in net.backward_from(seeds_of(run)).items()}
    return outputs, diffs | _gradients(net.store)


def difference(ours: np.ndarray, truth: np.ndarray) -> float:
    """The largest difference, relative to the largest element (of at least 1e-3)."""
    assert ours.shape == truth.shape, (ours.shape, truth.shape)
    if not truth.size:
        return 0.0
    distance = np.abs(ours.astype(np.float64) - truth.astype(np.float64))
    return float(distance.max() / max(np.abs(truth).max(), 1e-3))


def differences(
    ours: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """By name, of what both hold."""
    return {name: difference(array, truth[name]) for name, array in ours.items() if name in truth}


def _store(run: LayerRun) -> Store:
    store = Store(run.program.variables, seed=1)
    for name, buffer in store.data.items():
        buffer.array[...] = run.values[name]
    return store


def _states(program: NetProgram, store: Store) -> Arrays:
    written = [p.name for p in program.graph.outputs if p.role is Role.STATE]
    return {name: store.data[name].array.copy() for name in written if name != RANDOM_STATE}


def _gradients(store: Store) -> Arrays:
    return {name: buffer.array.copy() for name, buffer in store.diff.items()}
