"""The published events: decisions, tuning, incidents and dead letters, with their schemas."""
