"""Metrics of texts and tasks, the reports that hold them, and the models recommended because of them."""
