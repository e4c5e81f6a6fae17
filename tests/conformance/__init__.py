"""Other people's suites and clients against the real server. `make test` installs their packages."""
