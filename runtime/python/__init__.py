"""Python layers: found, permitted, imported, called, and whose exceptions are theirs."""
