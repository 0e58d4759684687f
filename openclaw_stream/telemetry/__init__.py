"""Logs, metrics and health of the worker."""
