"""This machine's memory, disk and folders. Knows neither the page nor how a model computes."""
