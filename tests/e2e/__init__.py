"""What a person sees in a browser, against real processes of the server."""
