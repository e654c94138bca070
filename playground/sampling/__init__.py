"""From the model's scores to a token: samplers, their order, and the seeded draw. Knows no model and no page."""
