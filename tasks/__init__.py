"""What runs later: the doorbell, the envelope around each piece of work, the schedule, and the work itself."""
