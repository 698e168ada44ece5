"""One file per family of layers; importing a file registers its layers."""
