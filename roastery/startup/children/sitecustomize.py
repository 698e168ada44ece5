# ruff: noqa
"""Begins every Python that a script under `roastery python` starts, and then goes on with the
``sitecustomize`` that would have been imported without us.

Any Python may come here, an old one too: what is not the script's own is left as it is.
"""

import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))

if __name__ == "sitecustomize":
    sys.path[:] = [f for f in sys.path if not f or os.path.abspath(f) != _here]
    # The prefix and version of the Python that runs the script.
    if os.environ.get("ROASTERY_CHILD_OF") == "%s %d.%d" % (
        sys.prefix,
        sys.version_info[0],
        sys.version_info[1],
    ):
        import importlib.util

        _spec = importlib.util.spec_from_file_location(
            "_roastery_child", os.path.join(os.path.dirname(_here), "child.py")
        )
        assert _spec is not None and _spec.loader is not None
        _child = importlib.util.module_from_spec(_spec)
        _spec.loader.exec_module(_child)
        _child.begin()
    _ours = sys.modules.pop(__name__)
    try:
        import sitecustomize  # type: ignore
    except ImportError:
        sys.modules[__name__] = _ours
