"""The prompts for the models, and the parser of their answers."""
