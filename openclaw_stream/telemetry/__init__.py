"""What the worker tells of itself: logs, metrics, health; and what it keeps to itself."""
