"""Fault injection: a workload whose correct result is known, faults at random times, and an independent verifier.

`workload`, `stories`, `wire`, `truth`, `checks` and `verifier` import nothing of the program under test: they follow
its README, and read the JSON Schemas as files.
"""
