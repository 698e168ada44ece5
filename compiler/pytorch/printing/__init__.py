"""What rules print with: statements, expressions, names, helpers."""
