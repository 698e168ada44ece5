"""Servers under load: who is asked, who asks, and what came of it."""
