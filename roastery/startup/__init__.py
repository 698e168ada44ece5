"""What runs before anything else is imported: it guards the path that imports take."""
