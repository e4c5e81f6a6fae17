"""The rules of the product against a real database."""
