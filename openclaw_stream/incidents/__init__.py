"""The pure fold: from alerts to incidents, their evidence and their life."""
