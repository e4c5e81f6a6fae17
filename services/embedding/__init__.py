"""Embedding: what of a bookmark is embedded, in which space, and the meaning of what somebody looks for."""
