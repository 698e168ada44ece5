"""What users write, read: nets and solvers, upgraded and checked."""
