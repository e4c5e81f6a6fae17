"""Accounts and sessions in the schema."""

from schema.auth.signing_in import AuthMutation

__all__ = ["AuthMutation"]
