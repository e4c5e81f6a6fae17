"""What must never be possible."""
