"""Plans: what runs, as plain data, and where its buffers lie."""
