"""Shadow tuning: commands that would prevent the next incident, suggested and never executed."""
