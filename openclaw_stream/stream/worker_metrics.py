"""The metrics of one worker over all of its partitions."""

from openclaw_stream.stream.assignment import Assignment
from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.stream.partition_state import NOT_FETCHING
from openclaw_stream.telemetry.metrics import Metrics


def record_load(metrics: Metrics, assignment: Assignment, decision_queue: DecisionQueue) -> None:
    """Record how many partitions are assigned and paused, and how many revisions wait for a decision."""
    metrics.assigned_partitions.set(assignment.count)
    metrics.paused_partitions.set(sum(partition.state in NOT_FETCHING for partition in assignment))
    metrics.pending_decisions.set(decision_queue.length)
