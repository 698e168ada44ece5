"""What an artifact holds: its plan, its kernels, and where its buffers lie."""

from __future__ import annotations

from collections import Counter

from compiler.plan.plan import Plan
from compiler.plan.saved_sizes import saved_plan_at
from compiler.plan.tables import kernel_files, memory_table, step_table
from ir.errors import RoasteryError
from ir.found_rows import counted_results, tells_rows
from ir.printable import printable
from ir.size import size_text
from ir.text_table import text_table
from ir.types import shape_text
from runtime.artifact import Artifact, Code, Tensor
from runtime.artifact.container import WEIGHTS
from runtime.artifact.pictures_told import picture_sentences


def artifact_report(artifact: Artifact) -> str:
    """For people. Nothing of it is run. Raises ArtifactError."""
    parts = [_heading(artifact), *_planned_lines(artifact)]
    targets = artifact.manifest.targets
    if "cpu" in targets:
        count = len(artifact.graph().nodes)
        parts.append(f"on the CPU: {count} operations, graph.txt\n")
        parts += _cpu_parts(artifact)
    if any(target != "cpu" for target in targets):
        plan, code = artifact.plan()
        if artifact.manifest.format > 1:
            plan = saved_plan_at(plan, artifact.manifest.sizes, as_saved=True)
        memory = memory_table(plan)
        if artifact.manifest.format == 1:
            memory = (
                f"arena {plan.memory.nbytes} bytes, of buffers whose sizes format 1 leaves out\n"
            )
        parts += [step_table(plan), _kernel_table(plan, code), memory]
    return "\n".join(parts)


def plan_shown(artifact: Artifact) -> Plan:
    """The plan that :func:`artifact_report` shows: of a GPU, else of the first baseline.

    Raises ArtifactError, and RoasteryError where nothing is planned.
    """
    sizes = artifact.manifest.sizes
    if any(target != "cpu" for target in artifact.manifest.targets):
        plan, _ = artifact.plan()
        old = artifact.manifest.format == 1
        return plan if old else saved_plan_at(plan, sizes, as_saved=True)
    for entry in artifact.cpu_entries().values():
        return saved_plan_at(artifact.cpu_code(entry).plan, sizes, as_saved=True)
    raise RoasteryError(
        f"{artifact.path} has no plan of memory: numpy runs its graph",
        hint="export it where a C compiler is, or for a GPU",
    )


def member_table(artifact: Artifact) -> str:
    """What is in the file, with checksums."""
    rows = [("bytes", "SHA-256", "member")]
    for name, member in artifact.manifest.members.items():
        rows.append((f"{member.size:,}", member.sha256, name))
    return text_table(rows)


def _planned_lines(artifact: Artifact) -> list[str]:
    """The sizes that were planned for in advance."""
    said = []
    for each in artifact.planned():
        inputs, _ = artifact.manifest.types_at(each.sizes)
        shapes = (f"{name}={','.join(map(str, t.shape))}" for name, t in inputs.items())
        said.append(printable(f"planned for {' '.join(shapes)}"))
    return ["\n".join([*said, ""])] if said else []


def _cpu_parts(artifact: Artifact) -> list[str]:
    """The baselines that there is machine code for, and what runs on the first of them."""
    codes = [artifact.cpu_code(entry) for entry in artifact.cpu_entries().values()]
    if not codes:
        return []
    rows = [("baseline", "kernels", "machine code", "made by")]
    for code in codes:
        kernels = sum(len(library.functions) for library in code.libraries)
        row = code.instructions, f"{kernels}", f"{code.nbytes:,} bytes", code.compiler
        rows.append(row)
    plan = saved_plan_at(codes[0].plan, artifact.manifest.sizes, as_saved=True)
    steps = step_table(plan, [kernel.entry for kernel in plan.kernels])
    return [text_table(rows), f"on {codes[0].instructions}:\n{steps}", memory_table(plan)]


def _heading(artifact: Artifact) -> str:
    manifest = artifact.manifest
    counted = counted_results(t.name for t in manifest.outputs)
    shown = [t for t in manifest.outputs if not tells_rows(t.name)]
    tensors = (("input", manifest.inputs), ("output", shown))
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    lines = [
        f"{manifest.name}, format {manifest.format}, for {', '.join(manifest.targets)}",
        f"made by {versions} ({manifest.options})",
        *(
            f"{kind} {t.name}: {_shape(t)}{', at most' if t.name in counted else ''}"
            for kind, tensors in tensors
            for t in tensors
        ),
    ]
    if manifest.program_sizes is not None:
        lines += manifest.program_sizes.sentences()
    lines += picture_sentences(artifact.pictures())
    weights = manifest.members.get(WEIGHTS)
    if weights is not None:
        lines.append(f"weights: {weights.size:,} bytes")
    return "\n".join(map(printable, lines)) + "\n"


def _shape(tensor: Tensor) -> str:
    """``f32, N x 3 x ((H + 1) // 2) x 28``."""
    parts = map(size_text, tensor.shape)
    text = shape_text([part if part.isalnum() else f"({part})" for part in parts])
    return f"{tensor.dtype}, {text}"


def _kernel_table(plan: Plan, code: Code) -> str:
    """Each kernel in each configuration, with what its code takes of a GPU."""
    launches = Counter((launch.kernel, launch.config) for launch in plan.launches)
    files = kernel_files(plan)
    rows = [("kernel", "arguments", "launches", "configuration", "machine code")]
    for (kernel, config), binaries in code.items():
        constants = " ".join(f"{name}={value}" for name, value in config.constants)
        found = [
            f"sm_{b.architecture.capability}: {b.resources.registers} registers, "
            f"{b.resources.shared} bytes shared"
            for b in binaries
        ]
        count = len(plan.kernels[kernel].parameters)
        times = launches[kernel, config]
        rows.append((files[kernel], f"{count}", f"{times}", constants, "; ".join(found)))
    return text_table(rows)
