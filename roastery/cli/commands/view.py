"""``roastery view``: a net as a page for a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..nets import BACKWARD_FLAG, OWN_PHASE_FLAG, PYTHON_FLAG, STATE_FLAGS, net_of_own_phase
from ..say import say, say_note
from ..shape_flags import SHAPE_FLAG

if TYPE_CHECKING:
    from ...building import LoweredNet

_TARGETS = ("cpu", "gpu")


def _run(arguments: Arguments) -> None:
    from pathlib import Path

    from ...building import BuildReport, lower_net
    from ...files.atomic_file import atomic_write
    from ...view.curve_view import curve_view
    from ...view.document import page_text
    from ...view.page_data import PageRequest, page_data

    if arguments.port is not None and not arguments.serve:
        raise UsageError("--port is for --serve")
    if arguments.snapshot_prefix and not arguments.serve:
        raise UsageError("--snapshot_prefix is for --serve; --weights names one file")
    lowered = lower_net(net_of_own_phase(arguments), BuildReport(say_note, say_note))
    backward = arguments.backward if "backward" in arguments.given else None
    name = Path(arguments.net).name.removesuffix(".prototxt") or "net"
    data = page_data(lowered, PageRequest(_targets(arguments), backward))
    data["name"] = data["name"] or name
    if not arguments.serve:
        if arguments.weights:
            data["weights"] = _weights(lowered, arguments.weights)
        if arguments.log:
            data["curves"] = curve_view(arguments.log)
        output = Path(arguments.output or f"{name}.html")
        with atomic_write(output) as file:
            file.write(page_text(data).encode())
        say(f"wrote {output} ({output.stat().st_size:,} bytes)")
        if arguments.open:
            _open(output.absolute().as_uri())
        return
    _serve(arguments, lowered, page_text(data, live=True).encode())


def _serve(arguments: Arguments, lowered: LoweredNet, page: bytes) -> None:
    from ...view.live import LiveFiles, PageServer

    files = LiveFiles(
        arguments.log,
        arguments.weights,
        arguments.snapshot_prefix,
        lambda path: _weights(lowered, path),
    )
    with PageServer(page, files, arguments.port or 0) as server:
        print(f"serving {server.url} until Ctrl-C", flush=True)
        if arguments.open:
            _open(server.url)
        server.serve_forever()


def _weights(lowered: LoweredNet, path: str) -> dict[str, Any]:
    from pathlib import Path

    from ...view.weight_view import weight_view

    program = lowered.program
    layers = [layer for layer in program.layers if layer.is_written]
    blobs, left = weight_view(path, program, layers)
    return {"file": Path(path).name, "blobs": blobs, "left": left}


def _open(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        say_note(f"no browser is known here: open {url} yourself")


def _targets(arguments: Arguments) -> list[str]:
    asked = [name.strip() for name in arguments.targets.split(",")]
    if asked == ["none"]:
        return []
    if unknown := [name for name in asked if name not in _TARGETS]:
        raise UsageError(f"--targets={arguments.targets}: '{unknown[0]}' is none of cpu, gpu, none")
    return list(dict.fromkeys(asked))


COMMAND = Command(
    name="view",
    summary="Make a page of a net: graph, weights, kernels, curves",
    group="Logs and pictures",
    description="""
        Writes one HTML file that a browser shows without a network: the net as a graph to zoom,
        search and fold; of each layer its shapes, parameters, multiply-adds, memory, receptive
        field and prototxt; its IR before and after each pass, its kernels in C and in Triton, and
        its place in the memory plan. With --weights also histograms of weights and the first
        layers' filters as pictures; with --log the curves of a training.

        --serve writes nothing: it serves the page on this machine (127.0.0.1) until Ctrl-C, and
        the page keeps up with the log, and with the weights, which --snapshot_prefix takes from
        the newest snapshot.

        A net that has inputs (deploy.prototxt) is shown in phase TEST, another one in TRAIN, with
        backward. Nothing of the net is run, and no database is needed: what is not there gets the
        shapes that the net's fields tell, or that --shape gives.
    """,
    positionals=(Positional("net", "a prototxt"),),
    flags=(
        Flag("weights", "a .caffemodel or .caffemodel.h5 file", default="", metavar="FILE"),
        Flag("log", "a training's log, as for plot_log", default="", metavar="FILE"),
        Flag(
            "output",
            "the page to write; without it NET.html in the working directory",
            default="",
            metavar="FILE",
        ),
        Flag("open", "open it in a browser", "bool", False),
        Flag("serve", "serve the page on this machine, and keep it up to date", "bool", False),
        Flag(
            "port",
            "where to serve; without it one that is free",
            "int",
            None,
            minimum=0,
            maximum=65535,
            metavar="N",
        ),
        Flag(
            "snapshot_prefix",
            "with --serve: show the weights of the newest snapshot that the solver wrote",
            default="",
            metavar="PREFIX",
        ),
        Flag(
            "targets",
            "whose kernels: cpu (in C), gpu (in Triton), both, or none, which is quickest",
            default="cpu,gpu",
            metavar="TARGETS",
        ),
        OWN_PHASE_FLAG,
        BACKWARD_FLAG,
        SHAPE_FLAG,
        *STATE_FLAGS,
        PYTHON_FLAG,
    ),
    examples=(
        Example("roastery view deploy.prototxt", "write deploy.html"),
        Example(
            "roastery view deploy.prototxt --weights net.caffemodel --open",
            "with weights, in a browser",
        ),
        Example(
            "roastery view train_val.prototxt --log train.log --serve --snapshot-prefix snap/net",
            "look on while it trains",
        ),
    ),
    run=_run,
)
