"""Tools around training: what the commands of the same names do, as functions."""
