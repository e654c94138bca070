"""The terminal: its commands, every parameter as a flag, and printing."""
