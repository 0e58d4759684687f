"""From the bytes of a record to normalised alerts."""
