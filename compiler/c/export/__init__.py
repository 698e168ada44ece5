"""A net as a folder of C: its kernels, a plan that runs them, a library's interface, a program."""
