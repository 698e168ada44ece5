"""An artifact on a GPU, by the kernels that are in it."""

from __future__ import annotations

from compiler.plan.saved_sizes import saved_plan_at
from ir.errors import RoasteryError
from runtime.cuda.executor.graph import CudaGraph
from runtime.cuda.executor.session import Session
from runtime.cuda.launcher import KernelLoader

from .bound import ArtifactMemory, BoundArtifact, SymbolValues
from .container import PLAN
from .errors import ArtifactError
from .planned import sizes_key
from .reader import Artifact


class GpuRunner:
    """By the kernels that are in it, as the ``cuda`` executor does.

    Binding raises RoasteryError when the GPU has not the memory.
    """

    def __init__(self, artifact: Artifact, session: Session) -> None:
        self._plan, self._code = artifact.plan()
        self._layouts = artifact.layouts(PLAN)
        self._saved = artifact.manifest.sizes
        artifact.finish()  # nothing of a damaged file runs
        self.memory = ArtifactMemory(artifact)
        self._session = session
        self._loader = KernelLoader(session.device, session.compute)

    def bind(self, sizes: SymbolValues) -> BoundArtifact:
        try:
            plan = saved_plan_at(
                self._plan,
                sizes,
                as_saved=sizes == self._saved,
                memory=self._layouts.get(sizes_key(sizes)),
            )
        except ValueError as error:
            path = self.memory.path
            raise ArtifactError(path, f"its plan cannot have {dict(sizes)}: {error}") from error
        inputs, outputs = (
            {port.key: plan.buffers[port.buffer].type for port in ports}
            for ports in (plan.inputs, plan.outputs)
        )
        self.memory.require(sum(type.nbytes for type in (inputs | outputs).values()))
        buffers = self.memory.buffers(inputs, outputs, sizes)
        code = self._code
        graph = CudaGraph(
            plan, {}, self._session, self._loader, lambda x: code[x.kernel, x.config], *buffers
        )
        try:
            graph.prepare()
        except RoasteryError as error:
            raise ArtifactError(self.memory.path, error.message, hint=error.hint) from error
        return graph, *buffers
