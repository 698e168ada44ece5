"""Recorded nets, replayed: what Caffe 1.0 computed on a CPU, and how far we are from it.

``tests/data/golden/layers/*.npz``: one net with its inputs, and the outputs, gradients and changed
parameters. ``tests/data/golden/solvers/*.npz``: a solver with its net and twelve iterations.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

import roastery.caffe as caffe
from compiler.options import CompileOptions
from ir.program import NetProgram
from roastery.devices.backends import open_backend
from roastery.reading import nets
from runtime.memory.store import Store
from runtime.net import PartitionedNet
from tests.support.lowering import layers_of

FOLDER = Path(__file__).parents[1] / "data" / "golden"
LAYERS = sorted((FOLDER / "layers").glob("*.npz"))
SOLVERS = sorted((FOLDER / "solvers").glob("*.npz"))
FORKS = sorted((FOLDER / "forks").glob("*.npz"))

Arrays = dict[str, np.ndarray]


def relative_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Distance relative to the size of ``theirs``, or to 1e-3 an element where that is more."""
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert a.squeeze().shape == b.squeeze().shape, (a.shape, b.shape)
    distance = np.linalg.norm(a.reshape(b.shape) - b)
    return float(distance / max(np.linalg.norm(b), 1e-3 * np.sqrt(max(b.size, 1))))


def _recorded(path: Path) -> Arrays:
    with np.load(path) as file:
        return dict(file)


def recorded_net(path: Path) -> tuple[str, str]:
    """The prototxt of a layer's record, and the phase that it is for."""
    case = _recorded(path)
    return case["prototxt"].tobytes().decode(), str(case["phase"])


def _of_kind(case: Arrays, kind: str) -> Arrays:
    return {k.removeprefix(f"{kind}/"): a for k, a in case.items() if k.startswith(f"{kind}/")}


def layerwise_errors(path: Path, device: str, folder: Path) -> dict[str, float]:
    """Errors of everything that a layer's record holds, through the pycaffe interface."""
    case = _recorded(path)
    file = folder / "net.prototxt"
    file.write_bytes(case["prototxt"].tobytes())
    phase = caffe.TRAIN if str(case["phase"]) == "TRAIN" else caffe.TEST
    net = caffe.Net(str(file), phase, device=device)

    def parameter(place: str) -> caffe.Blob:
        layer, i = place.rsplit("/", 1)
        return net.params[layer][int(i)]

    for place, array in _of_kind(case, "param").items():
        parameter(place).data[...] = array
    for name, array in _of_kind(case, "in").items():
        net.blobs[name].data[...] = array
    outputs = net.forward()
    got = {f"out/{name}": outputs[name].copy() for name in _of_kind(case, "out")}
    for place in _of_kind(case, "param_after"):
        got[f"param_after/{place}"] = parameter(place).data.copy()
    for name, array in _of_kind(case, "top_diff").items():
        net.blobs[name].diff[...] = array
    if any("_diff/" in key for key in case):
        net.backward()
    for name in _of_kind(case, "in_diff"):
        got[f"in_diff/{name}"] = net.blobs[name].diff
    for place in _of_kind(case, "param_diff"):
        got[f"param_diff/{place}"] = parameter(place).diff
    return {key: relative_error(array, case[key]) for key, array in got.items()}


def fused_errors(path: Path, device: str) -> dict[str, float]:
    """As :func:`layerwise_errors`, through the graphs that training and export run."""
    case = _recorded(path)
    message = nets.net_from_text(case["prototxt"].tobytes().decode(), path.stem)

    layers = layers_of(message, str(case["phase"]))
    program = layers.program
    backend, store = open_backend(device), Store(program.variables, seed=1)
    net = PartitionedNet(
        program, backend, store, None, layers.part, options=CompileOptions(backend.target)
    )
    variables = _variables(program)
    for place, array in _of_kind(case, "param").items():
        net.store.data[variables[place]].array[...] = array.reshape(
            net.store.data[variables[place]].type.shape
        )
    net.inputs.take({name: case[f"in/{name}"] for name in program.inputs})
    net.prepare_backward()
    net.forward()
    got = {f"out/{name}": net.output(name).copy() for name in _of_kind(case, "out")}
    for place in _of_kind(case, "param_after"):
        got[f"param_after/{place}"] = net.store.data[variables[place]].array.copy()
    if any("_diff/" in key for key in case):
        diffs = net.backward_from(_of_kind(case, "top_diff"))
        got |= {f"in_diff/{n}": diffs[n] for n in _of_kind(case, "in_diff") if n in diffs}
    for place in _of_kind(case, "param_diff"):
        got[f"param_diff/{place}"] = net.store.diff[variables[place]].array
    return {key: relative_error(array, case[key]) for key, array in got.items()}


def _variables(program: NetProgram) -> dict[str, str]:
    """Variable names by ``layer/index``: a shared one stands under its owner's name."""
    return {
        f"{layer.name}/{i}": variable
        for layer in program.layers
        for i, variable in enumerate(layer.variables)
    }


def solver_errors(path: Path, folder: Path) -> Iterator[tuple[str, float]]:
    """Errors of the losses and parameters of twelve iterations, as they are made.

    On the device that the environment names.
    """
    case = _recorded(path)
    (folder / "net.prototxt").write_bytes(case["net"].tobytes())
    (folder / "solver.prototxt").write_text(
        f'net: "{folder}/net.prototxt" random_seed: 7 snapshot_after_train: false '
        + case["solver"].tobytes().decode()
    )
    solver = caffe.get_solver(folder / "solver.prototxt")
    for name, array in _of_kind(case, "in").items():
        solver.net.blobs[name].data[...] = array
    for place, array in _of_kind(case, "param").items():
        layer, index = place.rsplit("/", 1)
        solver.net.params[layer][int(index)].data[...] = array
    for iteration in range(1, 13):
        solver.step(1)
        loss = solver.net.blobs["loss"].data
        yield f"loss {iteration}", relative_error(loss, case["loss"][iteration - 1])
        for place, array in _of_kind(case, f"after/{iteration}").items():
            layer, index = place.rsplit("/", 1)
            ours = solver.net.params[layer][int(index)].data
            yield f"{place} after {iteration}", relative_error(ours, array)
    assert solver.iter == 12
