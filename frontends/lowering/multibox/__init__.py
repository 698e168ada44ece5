"""SSD's training: what MultiBoxLoss is made of."""
