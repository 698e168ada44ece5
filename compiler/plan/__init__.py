"""Where every value lives: liveness, the arena, and what may be written in place."""
