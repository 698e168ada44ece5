"""Exported nets: the archive, and what is in it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from random import Random

import numpy as np

from compiler.options import CompileOptions
from compiler.plan.saved_sizes import saved_plan_at
from roastery.api.cpu_baselines import compilers_for
from roastery.api.exporting import export_net
from runtime.artifact import Artifact, ArtifactError, load, write_artifact
from runtime.artifact.container import MANIFEST, digest
from tests.artifact.conftest import VERSIONS, WEIGHTS, build_graph, build_plan

from .. import mutate_bytes, mutate_json, mutate_text
from ..inputs import Sample, one_file
from ..targets import Target, register

_SIZED = Path(__file__).parents[2] / "data" / "artifacts" / "v2.roast"

_NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 1 dim: 5 dim: 5 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 2 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""


def _artifacts(room: Path) -> list[Sample]:
    (room / "net.prototxt").write_text(_NET)
    export_net(room / "net.prototxt", None, room / "net.roast", cpu_baseline=_baselines())
    return [one_file("net.roast", (room / "net.roast").read_bytes())]


def _baselines() -> str:
    """One that is compiled for here; none where there is no compiler."""
    return next(iter(compilers_for(())), "none")


def _run(path: Path) -> object:
    net = load(path, "reference")  # machine code runs as it is
    with Artifact.load(path) as artifact:
        for entry in artifact.cpu_entries().values():
            artifact.cpu_code(entry)
    try:
        arrays = {
            name: np.ones(type.shape, type.dtype.numpy)
            for name, type in net.inputs.items()
            if type.size < 10**6
        }
        found = {name: array.tobytes() for name, array in net(**arrays).items()}
        larger = {name: np.concatenate([x, x[:1]]) for name, x in arrays.items() if x.ndim}
        if net.manifest.sizes:
            net(**{**arrays, **larger})
        return found
    finally:
        net.close()


def _plans(room: Path) -> list[Sample]:
    """Launch plans: of kernels that no compiler made, and of any batch size."""
    plan, code = build_plan()
    path = room / "plan.roast"
    write_artifact(
        path, versions=VERSIONS, options=CompileOptions(), weights=WEIGHTS, graph=build_graph(),
        cpu=True, plan=plan, code=code,
        sources=[""],
    )  # fmt: skip
    return [one_file("net.roast", file.read_bytes()) for file in (path, _SIZED)]


def _read_plan(path: Path) -> object:
    with Artifact.load(path) as artifact:
        plan, code = artifact.plan()
        weights = artifact.weights()
        sizes = artifact.manifest.sizes
        try:
            saved_plan_at(plan, {name: size + 1 for name, size in sizes.items()})
        except ValueError as error:
            raise ArtifactError(path, str(error)) from error
        return repr(plan), repr(code), {name: array.tobytes() for name, array in weights.items()}


def _odd(rng: Random, room: Path) -> Sample:
    return _forged(*_artifacts(room), rng)


def _odd_plan(rng: Random, room: Path) -> Sample:
    return _forged(rng.choice(_plans(room)), rng)


def _forged(sample: Sample, rng: Random) -> Sample:
    """A member is changed, and the checksums of the manifest fit it."""
    with zipfile.ZipFile(io.BytesIO(sample.files["net.roast"])) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(sorted(members))
    for _ in range(rng.choice((1, 1, 2, 4))):
        members[name] = _changed(name, members[name], rng)
    manifest = _fitting(members)
    if manifest is not None:
        members[MANIFEST] = manifest
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for key in sorted(members, key=lambda k: k != MANIFEST):
            kind = zipfile.ZIP_STORED if key.startswith("weights") else zipfile.ZIP_DEFLATED
            archive.writestr(key, members[key], kind)
    return one_file("net.roast", stream.getvalue())


def _changed(name: str, content: bytes, rng: Random) -> bytes:
    if name.endswith(".json"):
        return mutate_json.mutate(content, rng)
    if name.endswith(".safetensors") and rng.random() < 0.7:
        size = int.from_bytes(content[:8], "little")
        header = mutate_json.mutate(content[8 : 8 + size], rng)
        return len(header).to_bytes(8, "little") + header + content[8 + size :]
    if name.endswith(".txt"):
        text = content.decode("utf-8", "surrogateescape")
        return rng.choice(mutate_text.MUTATORS)(text, rng).encode("utf-8", "surrogateescape")
    return rng.choice(mutate_bytes.MUTATORS)(content, rng)


def _fitting(members: dict[str, bytes]) -> bytes | None:
    """The manifest with the sizes and checksums of the members as they are now."""
    try:
        manifest = json.loads(members[MANIFEST])
        table = manifest["members"]
        for name in table:
            if name in members:
                entry = table[name]
                values = {"size": len(members[name]), "sha256": digest(members[name])}
                if isinstance(entry, dict):
                    entry.update({k: v for k, v in values.items() if k in entry})
                else:
                    table[name] = [values["size"], values["sha256"]]
        return json.dumps(manifest).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


register(
    Target(
        "artifact",
        _artifacts,
        _run,
        "bytes",
        odd=_odd,
        sealed=True,
        known=("hostile/json_wide.roast",),
    )
)
register(Target("artifact's launch plan", _plans, _read_plan, "bytes", odd=_odd_plan, sealed=True))
