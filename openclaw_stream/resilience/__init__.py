"""Building blocks for calls that fail or take long; none of them knows what is called."""
