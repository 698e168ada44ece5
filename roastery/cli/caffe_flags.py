"""The flags of Caffe's one binary, which its actions share. Caffe: tools/caffe.cpp.

Each action takes all of them, and passes over those that are another's.
"""

from __future__ import annotations

from .command import Flag

CAFFE_FLAGS = (
    Flag("gpu", "a GPU's number"),
    Flag("solver", "the solver file"),
    Flag("model", "the net"),
    Flag("phase", "the phase to time"),
    Flag("level", "the level of the net's state", "int"),
    Flag("stage", "stages of the net's state"),
    Flag("snapshot", "a state to resume from"),
    Flag("weights", "weights to start with"),
    Flag("iterations", "how often to run", "int"),
    Flag("sigint_effect", "what SIGINT does"),
    Flag("sighup_effect", "what SIGHUP does"),
)
