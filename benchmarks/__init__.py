"""What is measured, and how. Each module prints its own table when it is run."""
