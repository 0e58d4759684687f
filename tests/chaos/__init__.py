"""Proof under fire: a workload of known truth, faults at random times, a verifier that knows nothing of the program.

`workload`, `stories`, `wire`, `truth`, `checks` and `verifier` import nothing of the program under test: what they know
of it is its README, and the JSON Schemas as files.
"""
