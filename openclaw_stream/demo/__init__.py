"""The demo: plays an alert storm on a real Kafka and shows the decisions live."""

from openclaw_stream.demo.session import run_demo

__all__ = ["run_demo"]
