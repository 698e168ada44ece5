"""Parameters into a net and out of it, and how files of them are told apart."""
