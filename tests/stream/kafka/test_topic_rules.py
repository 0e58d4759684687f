"""The recommended topic configuration, without brokers, and whether the sizes fit the largest events."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.events.tuning import TuningEvent
from openclaw_stream.settings import TopicSettings
from openclaw_stream.stream.kafka.topic_rules import (
    DEAD_LETTER_OVERHEAD,
    DECISION_BYTES,
    FULL_STATE_BYTES,
    STATE_BYTES,
    TUNING_BYTES,
    PartitionReplicas,
    Replication,
    TopicDescription,
    TopicDifference,
    compare_topics,
    topic_specs,
)
from openclaw_stream.stream.state.state_codec import encode
from tests.stream.largest import EXEMPLARS_MAX, WIDE, large_state, largest

NAMES = TopicSettings()
ONE = Replication(brokers=1)
COMPACTED = {
    "cleanup.policy": "compact",
    "segment.bytes": "33554432",
    "min.cleanable.dirty.ratio": "0.10",
    "max.compaction.lag.ms": "600000",
    "max.message.bytes": str(FULL_STATE_BYTES),
}
RECOMMENDED = {
    "alerts": {"message.timestamp.type": "LogAppendTime"},
    "decisions": {},
    "tuning": {},
    "incidents": COMPACTED,
    "dead_letter": {"max.message.bytes": "5000000"},
}


def topic(settings: Mapping[str, str], partitions: int = 4, replicas: int = 1) -> TopicDescription:
    defaults = {"cleanup.policy": "delete", "max.message.bytes": "1048588", "min.insync.replicas": "1"}
    every = [PartitionReplicas(number, 1, replicas, replicas) for number in range(partitions)]
    return TopicDescription(every, {**defaults, **settings})


def found(changes: Mapping[str, TopicDescription]) -> dict[str, TopicDescription]:
    recommended = {field: topic(settings) for field, settings in RECOMMENDED.items()}
    return {getattr(NAMES, field): each for field, each in {**recommended, **changes}.items()}


def differences(changes: Mapping[str, TopicDescription], replication: Replication = ONE) -> list[TopicDifference]:
    """Compare recommended topics, some of them changed; by field of `TopicSettings`."""
    return list(compare_topics(NAMES, found(changes), replication))


def replicated(replicas: int) -> dict[str, TopicDescription]:
    """Return recommended topics with as many replicas."""
    safe = {"min.insync.replicas": "2" if replicas > 2 else "1"}
    return {field: topic({**settings, **safe}, replicas=replicas) for field, settings in RECOMMENDED.items()}


def test_the_recommended_configuration_has_no_difference() -> None:
    assert differences({}) == []


@pytest.mark.parametrize("replicas", [1, 2, 3, 5])
def test_a_created_topic_has_the_recommended_configuration(replicas: int) -> None:
    created = {
        name: topic(spec.new_settings(replicas), replicas=replicas)
        for name, spec in topic_specs(NAMES, found({})).items()
    }
    created[NAMES.alerts] = topic({**created[NAMES.alerts].settings, "max.message.bytes": "1048588"}, replicas=replicas)
    assert list(compare_topics(NAMES, created, Replication(brokers=replicas))) == []


@pytest.mark.parametrize(
    ("field", "policy", "fatal"),
    [
        ("alerts", "compact", False),
        ("decisions", "compact", False),
        ("tuning", "compact,delete", False),
        ("incidents", "delete", False),
        ("incidents", "compact,delete", False),
        ("dead_letter", "compact", True),
        ("dead_letter", "compact,delete", True),
        ("dead_letter", "", False),
    ],
)
def test_another_cleanup_policy_is_reported_with_its_consequence(field: str, policy: str, *, fatal: bool) -> None:
    [difference] = differences({field: topic({**RECOMMENDED[field], "cleanup.policy": policy})})
    assert difference.topic == getattr(NAMES, field)
    assert difference.fatal == fatal
    wanted = RECOMMENDED[field].get("cleanup.policy", "delete")
    assert difference.what.startswith(f"cleanup.policy is {policy or 'empty'}, and should be {wanted}: ")
    assert difference.remedy.endswith(f"--add-config cleanup.policy={wanted}")


@given(st.integers(1, 64), st.integers(1, 64))
def test_partition_counts_must_be_equal(alerts: int, incidents: int) -> None:
    fatal = differences({"alerts": topic(RECOMMENDED["alerts"], alerts), "incidents": topic(COMPACTED, incidents)})
    assert bool(fatal) == (alerts != incidents)
    assert all(each.fatal and f"--partitions {max(alerts, incidents)}" in each.remedy for each in fatal)


@given(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1))
def test_the_dead_letter_limit_is_that_of_the_input_plus_headers(limit: int, dead: int) -> None:
    alerts = topic({**RECOMMENDED["alerts"], "max.message.bytes": str(limit)})
    fatal = differences({"alerts": alerts, "dead_letter": topic({"max.message.bytes": str(dead)})})
    assert bool(fatal) == (dead < limit + DEAD_LETTER_OVERHEAD)
    assert all(each.fatal for each in fatal)


@pytest.mark.parametrize(
    ("field", "least"), [("decisions", DECISION_BYTES), ("tuning", TUNING_BYTES), ("incidents", STATE_BYTES)]
)
def test_a_limit_below_the_largest_event_is_fatal(field: str, least: int) -> None:
    too_small = differences({field: topic({**RECOMMENDED[field], "max.message.bytes": str(least - 1)})})
    assert [each.fatal for each in too_small] == [True]
    just_right = differences({field: topic({**RECOMMENDED[field], "max.message.bytes": str(least)})})
    assert not any(each.fatal for each in just_right)


def test_a_limit_below_full_states_is_reported() -> None:
    defaults = {**COMPACTED, "max.message.bytes": "1048588"}
    [difference] = differences({"incidents": topic(defaults)})
    assert not difference.fatal
    assert "a group state that is larger loses its exemplars" in difference.what
    assert difference.remedy.endswith(f"max.message.bytes={FULL_STATE_BYTES}")


def test_the_limits_fit_the_largest_events() -> None:
    """A limit is the next power of two; that of decisions is in the tests of the output records."""
    texts = {"warnings": [WIDE * 200] * 32, "flags": {f"--flag-{n}": "1" * 20 for n in range(32)}}
    sizes = {
        TUNING_BYTES: len(largest(TuningEvent, **texts).model_dump_json().encode()),
        STATE_BYTES: len(encode(large_state(exemplars=0), "g" * 200, 10**9, None)),
        FULL_STATE_BYTES: len(encode(large_state(exemplars=EXEMPLARS_MAX), "g" * 200, 10**9, None)),
    }
    assert {limit: limit // 2 < size <= limit for limit, size in sizes.items()} == dict.fromkeys(sizes, True), sizes


@pytest.mark.parametrize(
    ("brokers", "replicas", "requested", "named", "asked"),
    [
        (1, 1, None, False, False),
        (2, 1, None, True, False),
        (3, 2, None, True, False),
        (3, 3, None, False, False),
        (9, 3, None, False, False),
        (3, 1, 1, True, True),
        (3, 2, 1, True, True),
        (3, 1, 2, True, False),
        (3, 3, 1, False, False),
    ],
)
def test_fewer_replicas_than_recommended_are_reported(
    brokers: int, replicas: int, requested: int | None, *, named: bool, asked: bool
) -> None:
    found = differences(replicated(replicas), Replication(brokers, requested))
    assert len(found) == 5 * named
    assert all(each.requested == asked and not each.fatal and "replication factor" in each.what for each in found)


@pytest.mark.parametrize(
    ("replicas", "in_sync", "what", "fatal"),
    [
        (1, 2, "nothing can be written", True),
        (2, 3, "nothing can be written", True),
        (2, 2, "", False),
        (2, 1, "", False),
        (3, 1, "a record is acknowledged when only one broker has it", False),
        (3, 2, "", False),
        (3, 3, "nothing can be written while one broker is down", False),
        (5, 3, "", False),
    ],
)
def test_unsafe_or_blocking_min_insync_replicas_are_reported(
    replicas: int, in_sync: int, what: str, *, fatal: bool
) -> None:
    tuning = topic({"min.insync.replicas": str(in_sync)}, replicas=replicas)
    found = differences(replicated(replicas) | {"tuning": tuning}, Replication(brokers=replicas))
    assert [(each.topic, each.fatal) for each in found] == ([(NAMES.tuning, fatal)] if what else [])
    assert all(each.what.endswith(what) for each in found)


def test_partitions_that_cannot_be_written_now_are_reported() -> None:
    every = replicated(3)
    replicas = [PartitionReplicas(0, -1, 3, 0), PartitionReplicas(1, 2, 3, 1), PartitionReplicas(2, 2, 3, 2)]
    replicas += [PartitionReplicas(number, -1, 3, 0) for number in range(3, 16)]
    every["decisions"] = TopicDescription(replicas, every["decisions"].settings)
    leaderless, below = differences(every, Replication(brokers=3))
    assert not leaderless.fatal
    assert not below.fatal
    assert leaderless.what == (
        "partitions 0, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 4 more without a leader: cannot be read or written"
    )
    assert below.what == "partition 1 with fewer in-sync replicas than min.insync.replicas (2): cannot be written"


def test_a_missing_topic_is_fatal() -> None:
    missing = list(compare_topics(NAMES, {}, ONE))
    assert [each.topic for each in missing] == list(dict(NAMES).values())
    assert all(each.fatal and "`openclaw-stream topics create` creates it" in each.remedy for each in missing)
