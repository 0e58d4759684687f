"""Deciding one revision of an incident: rules, validation, gate, tuning."""
