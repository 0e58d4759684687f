"""Real servers from wheels and published artifacts alone: for the demo and the tests."""

from openclaw_stream.embedded.cluster import EmbeddedKafkaCluster
from openclaw_stream.embedded.kafka import EmbeddedKafka
from openclaw_stream.embedded.security import Security
from openclaw_stream.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedKafka", "EmbeddedKafkaCluster", "EmbeddedValkey", "Security"]
