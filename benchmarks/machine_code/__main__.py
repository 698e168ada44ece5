"""The machine code of hot layers: a table of their loops, and what is wrong with them.

    python -m benchmarks.machine_code [--triton FOLDER] [--output FILE]     (make test-compile-all)

Compiles six layers, forward and both gradients, in every precision, for sm_80 and sm_90. The last
column tells what is not as it should be; tests/compile/test_hot_loops.py holds loops to it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from compiler.architecture import Architecture
from compiler.precision import PRECISIONS
from compiler.target import typical
from compiler.triton.compile import compile_jobs, jobs_of, triton_version
from compiler.triton.compile.store import BinaryStore

from .layers import LAYERS, Layer, products
from .rules import MOST_PER_WGMMA, Found

ARCHITECTURES = (Architecture(80), Architecture(90))
HEAD = f"""# Machine code of hot layers

Written by `make test-compile-all` (`python -m benchmarks.machine_code`); nothing runs on a GPU.
A loop is the one that multiplies. Asked of it: accesses of 16 bytes only; `wgmma` on sm_90 and
`mma` on sm_80 (gradients of weights in tf32 may take `mma` on sm_90 too, which an H200 ran
faster), `fma` in `ieee`; at most {MOST_PER_WGMMA} instructions for each `wgmma`; no spills.
"Product" is the instruction that multiplies; "never" counts what a predicate that is never true
guards, which the assembler puts before barriers. Batch 64.
"""
COLUMNS = (
    "layer", "precision", "target", "kernel", "tile", "warps, stages", "registers", "loop",
    "instructions for a product", "wrong",
)  # fmt: skip


def found(
    layer: Layer,
    precision: str,
    architecture: Architecture,
    triton: Path | None = None,
    store: BinaryStore | None = None,
) -> Iterator[Found]:
    """The loops of a layer's products. ``triton``: a folder of packages to compile with."""
    named = list(products(layer, typical(architecture), precision))
    launches = [launch for _, launch in named]
    jobs = jobs_of(launches, architecture)
    binaries = compile_jobs(jobs, triton_path=triton, store=store)
    made = {(j.kernel, j.config): b for j, b in zip(jobs, binaries, strict=True)}
    for way, launch in named:
        binary = made[launch.kernel, launch.config]
        yield Found.of(way, precision, launch.config, binary, triton)


def rows(triton: Path | None) -> Iterator[tuple[str, ...]]:
    for layer in LAYERS:
        for precision in PRECISIONS:
            for architecture in ARCHITECTURES:
                for one in found(layer, precision, architecture, triton):
                    yield (str(layer), precision, str(architecture), *one.cells())


def section(triton: Path | None) -> str:
    """A table of all loops."""
    lines, wrong = [COLUMNS, ("---",) * len(COLUMNS)], 0
    for row in rows(triton):
        print(" | ".join(row), flush=True)
        lines.append(row)
        wrong += bool(row[-1])
    count = len(lines) - 2
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    title = f"\n## Triton {triton_version(triton)}\n\n{count} loops, {wrong} not as asked.\n\n"
    return f"{title}{table}\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--triton",
        type=Path,
        action="append",
        default=[],
        help="a folder of packages whose Triton compiles too; may be given again",
    )
    parser.add_argument("--output", type=Path, help="write the tables as a Markdown page")
    given = parser.parse_args(arguments)
    page = HEAD + "".join(map(section, (None, *given.triton)))
    if given.output:
        given.output.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
