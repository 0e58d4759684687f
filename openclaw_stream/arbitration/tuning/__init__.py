"""Shadow tuning: changes that may prevent the next incident, suggested and never executed."""
