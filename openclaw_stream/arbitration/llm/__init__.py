"""Language models: a cached chain over provider clients."""
