"""How a compiled net runs: devices, data, solvers, snapshots and logs."""
