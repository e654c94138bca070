"""Training: a model learns from texts of one's own, in a process of its own. Imports no torch by itself."""
