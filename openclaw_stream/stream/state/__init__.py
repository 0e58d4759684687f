"""The state of a partition, pure: no I/O, no clock, no asyncio."""
