"""Passes on graphs as text: what ``roastery opt`` does."""
