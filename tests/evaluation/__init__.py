"""Scores what decides on labelled alerts: `python -m tests.evaluation rules [--data FILE] [--errors]`."""
