"""The page: rooms of one Gradio app. Everything below it works without a page."""
