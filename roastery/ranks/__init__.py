"""Training by several ranks: who starts them, how they meet, and how one that fails is told."""
