"""What kernels of benchmark nets that multiply nothing are made of: a table.

    python -m benchmarks.machine_code.element_kernels [--output FILE] [NET ...]

Compiles a training pass of each net for sm_90, in float32 and bfloat16; nothing runs on a GPU.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.predicted.nets import BATCHES, DEVICE, NETS, TITLES
from compiler.kernel import Config, Kernel
from compiler.options import CompileOptions
from compiler.precision import BFLOAT16, FLOAT32
from compiler.traffic import traffic
from compiler.triton.compile.hot_loop import hot_loop
from roastery.building import NetRequest, lower_net
from roastery.building.logger import logger_report
from roastery.inspection.compilation import compile_program
from roastery.reading import nets

from .elements import Elements, elements, tile_size

HEAD = f"""# Machine code of kernels that multiply nothing

Written by `python -m benchmarks.machine_code.element_kernels`; read from machine code
({DEVICE.architecture}), **not measured**. Training passes, batch 64 (FCN-8s 8). Of each kernel that
moves at least {{share:.0%}} of a pass's bytes: how often it is launched, the bytes of all these
launches, its tile, and the instructions that a thread runs for each element of it: on the way on
which the tile lies inside of the image; of reductions, in a turn of their loop. An element that is
read twice and written once keeps the memory of an H100 as busy as 100 instructions its processors
(12 bytes in float32; in bfloat16 50).
"""
COLUMNS = (
    "net", "precision", "kernel", "first layer", "launches", "GB", "tile", "registers",
    "instructions for an element", "accesses",
)  # fmt: skip
LEAST = 0.01


def rows(net: str, precision: str) -> Iterator[tuple[str, ...]]:
    text = NETS[net](BATCHES[net], deploy=False)
    message = nets.net_from_text(text, f"{net}.prototxt")
    program = lower_net(NetRequest(message, nets.state_message("TRAIN")), logger_report()).program
    options = CompileOptions(DEVICE, precision)
    compiled = compile_program(program, options, backward=True).compiled
    nbytes: Counter[tuple[Kernel, Config]] = Counter()
    times: Counter[tuple[Kernel, Config]] = Counter()
    for row in traffic(compiled):
        key = row.launch.kernel, row.launch.config
        nbytes[key] += row.times * row.nbytes
        times[key] += row.times
    least = LEAST * sum(nbytes.values())
    found = {(one.launch.kernel, one.launch.config): one for one in elements(compiled, options)}
    for key in sorted(found, key=lambda key: -nbytes[key]):
        if nbytes[key] >= least:
            one = found[key]
            counts = str(times[key]), f"{nbytes[key] / 1e9:.2f}"
            yield (TITLES[net], precision, *_cells(one, counts))


def _cells(one: Elements, counts: tuple[str, str]) -> tuple[str, ...]:
    launch = one.launch
    tile = "x".join(str(size) for name, size in launch.config.constants if name != "SPLIT")
    each = one.each
    if launch.kernel.entry.startswith("reduce"):
        turn = hot_loop(one.code.instructions)
        each = len(turn.instructions) * 32 * launch.config.num_warps / tile_size(launch.config)
    accesses = ", ".join(f"{n} {k} of {b}" for (k, b), n in one.code.accesses.items())
    label = launch.label if len(launch.label) < 40 else f"{launch.label[:36]}..."
    numbers = str(one.registers), f"{each:.1f}"
    return (launch.kernel.entry, label, *counts, tile, *numbers, accesses)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("net", nargs="*", help=f"of {', '.join(NETS)}; by default all")
    parser.add_argument("--output", type=Path, help="write the table as a Markdown page")
    given = parser.parse_args(arguments)
    lines = [COLUMNS, ("---",) * len(COLUMNS)]
    for net in given.net or NETS:
        for precision in (FLOAT32, BFLOAT16):
            for row in rows(net, precision):
                print(" | ".join(row), flush=True)
                lines.append(row)
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    if given.output:
        page = f"{HEAD.format(share=LEAST)}\n{table}\n"
        given.output.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
