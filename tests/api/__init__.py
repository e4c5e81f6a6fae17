"""GraphQL documents against the real schema and a real database."""
