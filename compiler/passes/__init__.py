"""Graph -> Graph passes; see :mod:`compiler.pipeline` for their order."""
