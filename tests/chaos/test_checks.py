"""The verifier finds every kind of error that is planted in the outputs, and none in correct outputs."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.chaos.checks import DISORDERED, DUPLICATED, INVALID, LOST, examine
from tests.chaos.journal import Reset, Run
from tests.chaos.outputs import DeadLetterRecord, DecisionEvent, LineageEntry, Outputs, StateRecord, TuningEvent
from tests.chaos.truth import Logged, Truth, compute_truth
from tests.chaos.wire import SentAlert

HEADERS = (("chaos-number", b"3"),)


def sent_alert(*, firing: bool = True, name: str = "A", severity: int = 1) -> SentAlert:
    return SentAlert("web", name, severity, firing, 1, "m", explicit=True)


def run(*resets: Reset, compacted: bool = False) -> Run:
    return Run(1, "", "g", {}, 1, 100, compacted, list(resets))


def truth() -> Truth:
    records = [(0, [sent_alert()]), (10, [sent_alert(name="B", severity=3)]), (20, [sent_alert(firing=False)])]
    log = [Logged(0, n, t, None, b"", (), tuple(alerts), dead=False) for n, (t, alerts) in enumerate(records)]
    return compute_truth([*log, Logged(0, 3, 30, b"k", b"poison", HEADERS, (), dead=True)], 100)


def decided(
    revision: int, offset: int, *, generation: int = 1, resolution: bool = False, last: int = 2
) -> DecisionEvent:
    return DecisionEvent(
        place=(0, offset),
        key="id",
        incident="id",
        generation=generation,
        revision=revision,
        resolution=resolution,
        replayed=generation > 1,
        group="chaos/web",
        alerts=2,
        names=frozenset("AB"),
        severity="critical",
        partition=0,
        last=last,
        decision_id=f"d{revision}",
        event_id=f"{revision}-{generation}",
        decider="rules",
        command="kubectl rollout restart deployment/web -n chaos",
    )


def stated(alerts: int = 3, status: str = "resolved", name: str = "id", opened: int = 0, at: int = 0) -> StateRecord:
    return StateRecord((0, 5), "chaos/web", 1, name, alerts, status, (LineageEntry(name, opened, at),))


def outputs() -> Outputs:
    return Outputs(
        decisions=[decided(1, 0), decided(2, 1, resolution=True)],
        tuning=[TuningEvent((0, 0), "t", "d1", 1, executed=False, event_id="t1", command="")],
        states=[stated(1, "firing"), stated()],
        dead=[DeadLetterRecord((0, 0), (0, 3), 1, b"k", b"poison", HEADERS)],
        invalid=[],
        held_back=Counter(),
        hanging=[],
    )


def kinds(found: Outputs, of: Run | None = None) -> set[str]:
    return {finding.kind for finding in examine(of or run(), truth(), found)}


def test_correct_outputs_are_clean() -> None:
    assert examine(run(), truth(), outputs()) == []


Plant = Callable[[Outputs], Outputs]
PLANTED: dict[str, tuple[str, Plant]] = {
    "a decision twice": (DUPLICATED, lambda o: o._replace(decisions=[decided(1, 9), *o.decisions])),
    "no first revision": (LOST, lambda o: o._replace(decisions=o.decisions[1:])),
    "a gap of revisions": (LOST, lambda o: o._replace(decisions=[decided(1, 0), decided(3, 1, resolution=True)])),
    "revisions in disorder": (
        DISORDERED,
        lambda o: o._replace(decisions=[decided(1, 0), decided(3, 1), decided(2, 2, resolution=True)]),
    ),
    "no decision": (LOST, lambda o: o._replace(decisions=[], tuning=[])),
    "no resolution": (LOST, lambda o: o._replace(decisions=[decided(1, 0), decided(2, 1)])),
    "an older generation after a newer": (
        DISORDERED,
        lambda o: o._replace(decisions=[decided(1, 0, generation=2), *o.decisions]),
    ),
    "no state": (LOST, lambda o: o._replace(states=[])),
    "an alert too few": (LOST, lambda o: o._replace(states=[stated(2)])),
    "an alert too many": (DUPLICATED, lambda o: o._replace(states=[stated(4)])),
    "an incident left open": (LOST, lambda o: o._replace(states=[stated(3, "firing")])),
    "an incident without a record": (
        INVALID,
        lambda o: o._replace(states=[*o.states, stated(1, "firing", "other", 2)]),
    ),
    "two ids of one incident": (DUPLICATED, lambda o: o._replace(states=[stated(name="other"), *o.states])),
    "an incident of another time": (INVALID, lambda o: o._replace(states=[stated(at=1)])),
    "a decision of no incident": (
        INVALID,
        lambda o: o._replace(decisions=[*o.decisions, decided(1, 5)._replace(incident="x", key="x")]),
    ),
    "a missing name": (
        LOST,
        lambda o: o._replace(
            decisions=[d._replace(names=frozenset("A")) for d in o.decisions],
        ),
    ),
    "a missing severity": (
        LOST,
        lambda o: o._replace(decisions=[d._replace(severity="warning") for d in o.decisions]),
    ),
    "a foreign key": (INVALID, lambda o: o._replace(decisions=[d._replace(key="k") for d in o.decisions])),
    "one ce_id twice": (DUPLICATED, lambda o: o._replace(tuning=[o.tuning[0]._replace(event_id="1-1")])),
    "a new decision marked as replayed": (
        INVALID,
        lambda o: o._replace(decisions=[d._replace(replayed=True) for d in o.decisions]),
    ),
    "a replay without a reset": (
        DUPLICATED,
        lambda o: o._replace(states=[*o.states, stated()._replace(generation=2)]),
    ),
    "a tuning of no decision": (LOST, lambda o: o._replace(tuning=[o.tuning[0]._replace(decision_id="d9")])),
    "a tuning twice": (DUPLICATED, lambda o: o._replace(tuning=o.tuning * 2)),
    "a tuning executed": (INVALID, lambda o: o._replace(tuning=[o.tuning[0]._replace(executed=True)])),
    "a command of two": (
        INVALID,
        lambda o: o._replace(tuning=[o.tuning[0]._replace(command="kubectl delete pod/a -n b; id")]),
    ),
    "a command that deletes all": (
        INVALID,
        lambda o: o._replace(decisions=[d._replace(command="kubectl delete namespace chaos") for d in o.decisions]),
    ),
    "no dead letter": (LOST, lambda o: o._replace(dead=[])),
    "a dead letter twice": (DUPLICATED, lambda o: o._replace(dead=o.dead * 2)),
    "a dead letter of other bytes": (INVALID, lambda o: o._replace(dead=[o.dead[0]._replace(value=b"Poison")])),
    "a dead letter of another key": (INVALID, lambda o: o._replace(dead=[o.dead[0]._replace(key=None)])),
    "a dead letter without its headers": (INVALID, lambda o: o._replace(dead=[o.dead[0]._replace(headers=())])),
    "a good record dead": (INVALID, lambda o: o._replace(dead=[*o.dead, o.dead[0]._replace(source=(0, 1))])),
    "a schema broken": (INVALID, lambda o: o._replace(invalid=["decisions (0, 1)"])),
    "a transaction left open": (INVALID, lambda o: o._replace(hanging=["decisions partition 0"])),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_error_is_found(planted: str) -> None:
    kind, plant = PLANTED[planted]
    assert kind in kinds(plant(outputs()))


def test_after_a_reset_the_alerts_read_again_count() -> None:
    reset = run(Reset(0, 1, 4, 4))
    again = [decided(1, 2, generation=2), decided(2, 3, generation=2, resolution=True)]
    found = outputs()._replace(states=[stated(), stated(2)], decisions=[*outputs().decisions, *again])
    assert kinds(found, reset) == set()
    assert kinds(found._replace(states=[stated(1)]), reset) == {LOST}
    unmarked = [event._replace(replayed=False) for event in again]
    assert kinds(found._replace(decisions=[*outputs().decisions, *unmarked]), reset) == {INVALID}


def test_compacted_states_may_be_missing() -> None:
    opened = LineageEntry("id", 0, 0)
    left = StateRecord((0, 9), "chaos/web", 1, None, 0, "", (opened,))
    assert kinds(outputs()._replace(states=[left]), run(compacted=True)) == set()
    assert kinds(outputs()._replace(states=[left])) == {LOST}
