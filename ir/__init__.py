"""The intermediate representation: what a net means, independent of how it runs."""
