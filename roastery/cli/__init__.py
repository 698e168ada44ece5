"""The command line: ``roastery COMMAND [FLAGS]``."""
