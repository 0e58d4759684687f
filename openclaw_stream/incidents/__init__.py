"""The pure fold: identity, evidence, and the life of an incident."""
