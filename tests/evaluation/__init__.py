"""Scores the rules and the gate on labelled alerts, and prints decisions to read: `python -m tests.evaluation`."""
