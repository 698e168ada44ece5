"""What lowering asks the outside: the shapes of data and of a Python layer's tops."""
