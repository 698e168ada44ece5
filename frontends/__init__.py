"""What people write: prototxt, weights and Python, read into the IR."""
