"""Files on disk: opened without harm, whole or not at all, left by nobody. Imports only ``ir``."""
