"""What is told of nets and layers: what a net is compiled to, what every layer takes."""
