"""From IR graphs to kernels: passes, memory planning, backends."""
