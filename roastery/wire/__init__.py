"""Protobuf's binary form, byte by byte. Imports only ``ir``."""
