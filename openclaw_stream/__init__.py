"""openclaw-stream: a streaming arbiter for alerts on Kafka."""

__version__ = "0.2.0"
