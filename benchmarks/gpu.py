"""Nets on a GPU: first whether all is right, then times beside PyTorch, then a picture.

    python benchmarks/gpu.py                     # goes on where the last call was cut off
    python benchmarks/gpu.py --dry-run           # what there is to do, and what is done; no GPU
    python benchmarks/gpu.py --minutes 60
    python benchmarks/gpu.py --short --minutes 9  # what tells most first
    python benchmarks/gpu.py --only time --net resnet50 --precision tf32

Mode against mode: float32 against PyTorch without tf32, tf32 against tf32, bfloat16 against
autocast; PyTorch has its images channels_last, eager and by torch.compile(mode="max-autotune").
Inference at batch 1 and 64 with frozen parameters, training at 64 with the update (FCN-8s: 8).

The work is cut into pieces, each a process of less than nine minutes. What they find lies in a
folder, a file for each, written whole; a call takes as long as it may, and the next one goes on.
Correctness comes first (benchmarks/gpu_check.py; errors of whole nets against float64), then times,
of torch.compile last and those of ResNet-50 and MobileNet in front, then the kernels of each net.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.contest.plot import draw_ratios
from benchmarks.gpu_contest.cases import CONTENDERS, PRECISIONS, ROASTERY
from benchmarks.gpu_contest.order import telling_first
from benchmarks.gpu_contest.pieces import LIMIT, STAGES, Piece, planned
from benchmarks.gpu_contest.running import run_pieces
from benchmarks.gpu_contest.state import State
from benchmarks.gpu_contest.tables import ratio, report, times_of
from benchmarks.predicted.nets import NETS
from ir.errors import RoasteryError
from roastery.devices.backends import choose_device
from roastery.files.atomic_file import atomic_path


def main(words: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(words)
    signal.signal(signal.SIGTERM, _stop)
    pieces = planned(args.only, args.net, args.precision, args.without)
    if args.short:
        pieces = telling_first(pieces)
    if args.dry_run:
        _list(pieces, State(args.folder) if args.folder.is_dir() else None)
        return 0
    if not args.report:
        try:
            choose_device("cuda")
        except RoasteryError as error:
            print(f"{error}\nwithout a GPU there is --dry-run, and --report of what was found")
            return 1
    state = State(args.folder)
    left = [piece for piece in pieces if state.is_left(piece)]
    if not args.report:
        with state.alone() as alone:
            if not alone:
                print(f"another call is at work in {state.folder}: choose another --folder")
                return 1
            if args.again:
                state.forget_failures(pieces)
            try:
                left = run_pieces(
                    pieces,
                    state,
                    60 * args.minutes,
                    _tell,
                    beside=args.beside,
                    passing=args.short,
                )
            except KeyboardInterrupt:
                print(f"stopped; what was found is in {state.folder}, the same command goes on")
                return 130
    text = report(pieces, state)
    with atomic_path(state.folder / "report.txt") as partial:
        partial.write_text(text, encoding="utf-8")
    print(text, end="")
    _draw(pieces, state)
    failed = any("failed" in (state.record(p) or {}) for p in pieces if p.stage == "check")
    return 1 if failed else 3 if left and not args.report else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--folder", type=Path, default=Path("gpu-contest"), help="what was found so far")
    add("--minutes", type=float, default=LIMIT / 60, help="that this call may take (8.5)")
    add("--short", action="store_true", help="begin with the pieces that tell most")
    add("--beside", type=int, default=_beside(), help="checks that run at once (%(default)s)")
    add("--only", nargs="*", choices=STAGES, default=STAGES)
    add("--net", nargs="*", choices=tuple(NETS), default=())
    add("--precision", nargs="*", choices=PRECISIONS, default=PRECISIONS)
    add("--without", nargs="*", choices=CONTENDERS[1:], default=(), help="others left out")
    add("--dry-run", action="store_true", help="list the pieces, and run nothing")
    add("--again", action="store_true", help="try again what failed, or was given up")
    add("--report", action="store_true", help="tables and picture of what was found, no more")
    return parser


def _beside() -> int:
    """A check compiles on several processors, and holds a net in float64 on the GPU."""
    return max(1, min(6, (os.cpu_count() or 1) // 2))


def _stop(*signal: object) -> None:
    raise KeyboardInterrupt


def _list(pieces: Sequence[Piece], state: State | None) -> None:
    for piece in pieces:
        done = state is not None and not state.is_left(piece)
        print(f"{'done' if done else f'{piece.seconds:.0f} s':>6}  {piece.name}")
    left = [p for p in pieces if state is None or state.is_left(p)]
    minutes = sum(piece.seconds for piece in left) / 60
    print(f"{len(left)} of {len(pieces)} pieces are left, about {minutes:.0f} minutes")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _draw(pieces: Sequence[Piece], state: State) -> None:
    """A picture for each precision, where there is something to compare."""
    times = times_of(pieces, state)
    for precision in PRECISIONS:
        cases = list(
            dict.fromkeys(
                piece.case
                for piece in pieces
                if piece.case is not None
                and piece.case.precision == precision
                and len(times.get(piece.case.key, {})) > 1
                and ROASTERY in times[piece.case.key]
            )
        )
        ratios = {name: [ratio(times[case.key], name) for case in cases] for name in CONTENDERS[1:]}
        shown = {name: found for name, found in ratios.items() if any(found)}
        if shown:
            file = state.folder / f"{precision}.svg"
            try:
                draw_ratios([case.title for case in cases], shown, file)
            except ImportError as error:
                print(f"no picture: {error}; --report draws it where matplotlib is")
                return
            print(f"wrote {file}")


if __name__ == "__main__":
    sys.exit(main())
