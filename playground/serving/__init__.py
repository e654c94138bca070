"""Which models a server holds, and how one takes the place of another while people write. Knows no page."""
