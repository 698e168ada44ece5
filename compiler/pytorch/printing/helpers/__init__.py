"""What stands in the written file, as text."""
