"""What torch and numpy do too slowly on a CPU, in C++: built on first use; where it cannot be, Python takes its place.

Knows no model, no row and no sampler.
"""
