"""A folder for PYTHONPATH: what it holds begins the Pythons that a script starts."""
