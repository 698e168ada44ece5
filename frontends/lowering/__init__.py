"""From typed messages to the IR: one function per layer type."""
