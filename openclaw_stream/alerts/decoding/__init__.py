"""From the bytes of a record to its alerts: frames are removed, formats recognised, alerts read."""
