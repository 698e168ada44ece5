"""Which device runs a net, and what is asked of its compiler."""
