"""Batch jobs and drafts in one SQLite file, and a draft as a document. Knows neither the page nor the model."""
