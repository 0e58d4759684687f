"""Real servers from wheels and published artifacts alone: for the demo and the tests."""

from openclaw_stream.embedded.kafka import EmbeddedKafka
from openclaw_stream.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedKafka", "EmbeddedValkey"]
