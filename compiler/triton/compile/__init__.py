"""Ahead-of-time compilation of printed kernels, always in other processes.

Triton decides between compiler and interpreter when it is first imported, and a crash of
its compiler must not end a training run. So nothing here imports Triton but the worker.
"""

from .job import CompileError, Job, Launched, LaunchGrid, jobs_of
from .pool import compile_jobs, triton_version

__all__ = [
    "CompileError",
    "LaunchGrid",
    "Job",
    "Launched",
    "compile_jobs",
    "jobs_of",
    "triton_version",
]
