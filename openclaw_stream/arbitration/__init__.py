"""Decides one revision of an incident: language models, rules, validation, gate, tuning."""
