"""What this machine has: memory, processor, threads of its products."""
