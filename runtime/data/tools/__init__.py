"""Tools that make databases, mean images and pictures; the command line wraps them."""
