"""Kafka in and out: settling, restore, transactions, and the worker that serves partitions."""
