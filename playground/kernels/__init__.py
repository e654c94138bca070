"""What torch and numpy do too slowly on a CPU, in C++: built on the first use, with a way round where it cannot be.

Knows no model, no row and no sampler.
"""
