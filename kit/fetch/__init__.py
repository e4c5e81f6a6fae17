"""The one door to the outside: fetching an address without being talked into the private network."""

from kit.fetch.answers import Failure, FetchError, Headers, Hop, Response

__all__ = ["Failure", "FetchError", "Headers", "Hop", "Response"]
