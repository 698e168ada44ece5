"""Several programs run the same nets, in turn: what ``benchmarks/cpu.py`` measures."""
