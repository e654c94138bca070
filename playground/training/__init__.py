"""Training: a person's texts as examples, a run in a process of its own, and what was learned as a model like others.

This module imports nothing: what needs torch, transformers or peft is imported where it is used.
"""
