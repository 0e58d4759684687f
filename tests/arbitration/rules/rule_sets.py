"""A small rule set, for tests that need no real vocabulary."""

from openclaw_stream.arbitration.rules.rule_set import (
    NAMED_SERVICE,
    Cause,
    Condition,
    ConfidenceCurve,
    FieldWeights,
    Rule,
    RuleSet,
    Technology,
)
from openclaw_stream.vocabulary import Language, Responsibility

BE, DB, INFRA = Responsibility.BE, Responsibility.DB, Responsibility.INFRA
TEXT = dict.fromkeys(Language, "text")
CHECKS = dict.fromkeys(Language, ("check",))
NOTHING = frozenset[str]()
FIELDS = FieldWeights(1.0, 0.8, 0.5, 0.2, 0.7, 0.3, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)


def cause(
    name: str,
    team: Responsibility,
    *alternatives: tuple[Condition, ...],
    unless: Condition = (),
    refines: bool = False,
) -> Cause:
    """Return a cause of depth 1 without tuning."""
    return Cause(name, team, alternatives, unless, refines, 1, TEXT, TEXT, CHECKS, ())


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
        cause("space", DB, (("space",),), unless=("low",)),
        cause("other", DB, ()),
        cause("any", BE, ()),
        cause("any", INFRA, ()),
    ),
    technologies=(Technology("mysql", "MySQL", DB, ("mysql",), CHECKS),),
    subjects={"alert": CHECKS, "alert/DB": CHECKS, "node": CHECKS, "service/BE": CHECKS, "service": CHECKS},
    fields=FIELDS,
    symptoms=frozenset(("latency", "errors", NAMED_SERVICE)),
    resources=(),
    confidence=ConfidenceCurve(margins=((0.0, 0.5), (4.0, 0.9)), ceilings=((0.0, 0.3), (2.0, 0.8)), unknown=0.3),
    phrases={},
)
