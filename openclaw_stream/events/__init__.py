"""What is on the wire: alerts in, decisions, tuning, incidents and dead letters out."""
