"""Schema changes in order; each is one transaction."""
