"""``roastery export --format onnx``: a net with its weights as an ONNX model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ir.errors import RoasteryError
from ir.graph import Graph
from ir.graph_sizes import graph_at, graph_symbols, told_symbols
from ir.program import NetProgram
from ir.size import form_of, size_of
from runtime.memory.store import Store

from .._version import __version__
from ..building.logger import logger_report
from ..devices.compile_options import NOTHING_ASKED, device_options
from ..files.atomic_file import atomic_path
from .deployed import Exported, computed_once, deployed, tell_left_out, variables_of
from .targets import ANY_CPU

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 17
"""What is written unless another is asked for."""

MOST_BYTES = (1 << 31) - (1 << 20)
"""Of a model in one file: protobuf holds no more."""


@dataclass(frozen=True)
class OnnxRequest:
    """How a model is to be written.

    Attributes:
        opset: of ONNX's operators; 0: the newest that the installed onnx knows.
        dynamic: "": all sizes are fixed; "batch": all but the number of images; "all".
        half: whether weights and arithmetic are float16. Inputs and outputs are float32.
        metadata: texts by names, which the model carries.
    """

    opset: int = OPSET
    dynamic: str = ""
    half: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def asked(
        opset: int | None, dynamic: str, precision: str | None, for_onnx: bool
    ) -> OnnxRequest:
        """For the arguments of a call; of a precision, float16 counts here alone."""
        if dynamic not in ("", "batch", "all"):
            raise RoasteryError(f"dynamic is '{dynamic}'", hint="batch or all is expected")
        if precision not in (None, "", "float32", "float16") and for_onnx:
            raise RoasteryError(
                f"precision {precision} is none of an ONNX model",
                hint="float32 or float16 is expected",
            )
        half = precision == "float16"
        return OnnxRequest(OPSET if opset is None else opset, dynamic, half)

    def settings(self) -> dict[str, object]:
        """By flags what is said that no other format knows."""
        return {"--opset": self.opset if self.opset != OPSET else None, "--dynamic": self.dynamic}


def export_onnx(
    program: NetProgram,
    store: Store,
    output: str | os.PathLike[str],
    request: OnnxRequest,
) -> Exported:
    """Write a net as a model. Needs the package onnx.

    Raises RoasteryError for layers that ONNX has no nodes for: it names all of them.
    """
    model = program_model(program, store, request)
    content = model.SerializeToString()
    _check(content)
    with atomic_path(output) as path:
        path.write_bytes(content)
    fixed = {
        p.name: tuple(d.dim_value for d in p.type.tensor_type.shape.dim) for p in model.graph.input
    }
    fixed = {name: shape for name, shape in fixed.items() if all(shape)}
    target = f"ONNX (opset {model.opset_import[0].version})"
    return Exported(
        (target,),
        device_options(ANY_CPU, NOTHING_ASKED, logger_report().warn),
        0,
        len(content),
        (),
        os.fspath(output),
        fixed,
    )


def _check(content: bytes) -> None:
    """Hold a model against ONNX's rules, types and shapes included, before it is written."""
    from onnx import checker, shape_inference

    try:
        checker.check_model(content, full_check=True)
    except (checker.ValidationError, shape_inference.InferenceError) as error:
        raise RoasteryError(
            "internal error: the model that was made of this net is not sound and not written",
            detail=str(error),
            hint="this is a mistake of Roastery's, not of the net's: please report it with the net",
        ) from error


def program_model(
    program: NetProgram,
    store: Store,
    request: OnnxRequest,
) -> ModelProto:
    """A net as a model; see :func:`export_onnx`."""
    try:
        from compiler.onnx.model import OnnxNet, latest_opset, onnx_model
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "onnx":
            raise
        raise RoasteryError(
            "the package onnx, which writes such files, is not installed",
            hint="pip install 'roastery[onnx]'",
        ) from None
    opset = request.opset or latest_opset()
    if not OPSET <= opset <= latest_opset():
        raise RoasteryError(
            f"opset {opset} is not one from {OPSET} to {latest_opset()}",
            hint="the installed onnx knows no newer ones" if opset > OPSET else None,
        )
    report = logger_report()
    tell_left_out(program)
    options = device_options(ANY_CPU, NOTHING_ASKED, report.warn)
    general = program.general or program
    constants, graph = deployed(general, options)
    arrays = variables_of(graph, computed_once(constants, program.values, store), store)
    graph = _at_sizes(program, graph, constants, request.dynamic)
    blobs = {versions[-1].name: name for name, versions in general.blobs.items()}
    net = OnnxNet(graph, arrays, blobs, __version__, request.half, request.metadata)
    total = sum(a.nbytes for a in arrays.values())
    if total > MOST_BYTES:
        raise RoasteryError(
            f"{total:,} bytes of weights are more than the {MOST_BYTES:,} that a model can hold"
        )
    model, notes = onnx_model(net, opset)
    for note in notes:
        report.warn(note)
    return model


def _at_sizes(program: NetProgram, graph: Graph, constants: Graph, dynamic: str) -> Graph:
    """The graph with numbers for all sizes that are not to change, or cannot."""
    symbols = graph_symbols(graph)
    if not dynamic or program.sizes is None:
        if dynamic:
            logger_report().warn("no size of this net may change: all of them are fixed")
        return graph_at(graph, program.values)
    scope = program.sizes.scope
    pinned = {s.key for s in graph_symbols(constants)}
    told = told_symbols(graph)
    values: dict[str, int] = dict(program.values)
    free = []
    for symbol in symbols:
        name = symbol.key
        kept = name in told and name not in pinned and (dynamic == "all" or name == "N")
        if kept and not scope.is_fixed(form_of(size_of(scope, symbol))):
            values[name] = size_of(scope, symbol)
            free.append(name)
    if not free:
        logger_report().warn("no such size of this net may change: all of them are fixed")
    for sentence in program.sizes.sentences():
        logger_report().note(sentence)
    return graph_at(graph, values)
