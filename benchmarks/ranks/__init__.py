"""What several ranks reach on the processors of this machine."""
