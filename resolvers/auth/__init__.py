"""Accounts and sessions in the graph."""

from resolvers.auth.signing_in import login, logout, register

__all__ = ["login", "logout", "register"]
