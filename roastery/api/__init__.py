"""What ``import roastery`` offers: compile, layers of one's own, gradient checks, export."""
