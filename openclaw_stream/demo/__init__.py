"""The demo: an alert storm becomes decisions on a real Kafka, and one can watch."""

from openclaw_stream.demo.session import run_demo

__all__ = ["run_demo"]
