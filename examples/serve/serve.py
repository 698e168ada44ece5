"""Serve an exported net over HTTP: ``python serve.py net.roast``; ``--help`` says more."""

from __future__ import annotations

import sys

from roast_server.settings import read_settings


def main() -> int:
    settings = read_settings(sys.argv[1:])
    if not settings.artifact.is_file():
        print(
            f"error: there is no file '{settings.artifact}'\n"
            "hint: roastery export deploy.prototxt --weights net.caffemodel --output net.roast",
            file=sys.stderr,
        )
        return 1
    try:  # --help needs none of it
        from roast_server.engine import RoasteryEngine
        from roast_server.server import run
    except ModuleNotFoundError as error:
        print(
            f"error: the package {error.name} is not installed\n"
            "hint: pip install 'roastery[images,serve]'",
            file=sys.stderr,
        )
        return 1
    return run(
        settings, lambda: RoasteryEngine(settings.artifact, settings.device, settings.threads)
    )


if __name__ == "__main__":
    sys.exit(main())
