"""The Triton backend: prints one kernel per fused group and compiles it ahead of time."""
