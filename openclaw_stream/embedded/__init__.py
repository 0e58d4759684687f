"""Real servers for the demo and the tests, from wheels and published artifacts alone."""

from openclaw_stream.embedded.cluster import EmbeddedKafkaCluster
from openclaw_stream.embedded.kafka import EmbeddedKafka
from openclaw_stream.embedded.security import Security
from openclaw_stream.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedKafka", "EmbeddedKafkaCluster", "EmbeddedValkey", "Security"]
