"""Fan-out of events to everybody who follows them."""
