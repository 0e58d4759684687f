"""A small rule set, for tests that need no real vocabulary."""

from openclaw_stream.arbitration.rules.rule_set import (
    NAMED_SERVICE,
    Cause,
    Condition,
    ConfidenceCurve,
    FieldWeights,
    Rule,
    RuleSet,
)
from openclaw_stream.vocabulary import Language, Responsibility

BE, DB, INFRA = Responsibility.BE, Responsibility.DB, Responsibility.INFRA
TEXT = dict.fromkeys(Language, "text")
NOTHING = frozenset[str]()
FIELDS = FieldWeights(1.0, 0.8, 0.5, 0.2, 0.7, 0.3, 0.2, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)


def cause(name: str, team: Responsibility, *alternatives: tuple[Condition, ...]) -> Cause:
    """Return a cause of depth 1 without remedy and tuning."""
    return Cause(name, team, alternatives, 1, "none", TEXT, TEXT, TEXT, ())


RULE_SET = RuleSet(
    categories={},
    unstemmed=(),
    rules=(
        Rule(BE, (), (), 0.5),
        Rule(BE, (("latency", "errors"),), ("dns",), 2.0),
        Rule(BE, ((NAMED_SERVICE,),), (), 1.0),
        Rule(DB, (("database",),), (), 3.0),
        Rule(DB, (("database",), ("disk",)), (), 2.0),
        Rule(INFRA, (("dns",),), (), 4.0),
    ),
    causes=(
        cause("disk", DB, (("disk",),)),
        cause("slow", DB, (("latency",), ("database",)), (("queries",),)),
        cause("other", DB, ()),
        cause("any", BE, ()),
        cause("any", INFRA, ()),
    ),
    fields=FIELDS,
    confidence=ConfidenceCurve(margins=((0.0, 0.5), (4.0, 0.9)), ceilings=((0.0, 0.3), (2.0, 0.8)), unknown=0.3),
    phrases={},
)
