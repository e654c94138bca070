"""Tasks: what a task is, how its YAML is read, and which kinds of result it can ask for. Knows no model."""
