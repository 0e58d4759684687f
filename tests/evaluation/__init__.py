"""Scores the rules and the gate on labelled alerts: `python -m tests.evaluation rules|gate [--data FILE]`."""
