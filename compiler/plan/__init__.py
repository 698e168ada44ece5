"""Where every value lies in memory."""
