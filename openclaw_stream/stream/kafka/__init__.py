"""Everything that talks to Kafka through aiokafka."""
