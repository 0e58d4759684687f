"""The rule set, indexed for matching; `loading` reads it from the TOML files in this folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from openclaw_stream.arbitration.rules.lexicon import Lexicon
from openclaw_stream.vocabulary import Language, Responsibility, TuningType

Condition = tuple[str, ...]
"""Categories of which at least one must match."""

DIRECTIVE = "directive"
"""The category of terms that ask for a decision instead of describing a fault."""

OBLIGATION = "obligation"
"""The category of terms that, as a directive or next to one, assign it to what is named before them."""

NAMING = "naming"
"""The category of verbs that form a directive together with a team name after them."""

TEAM_WORD = "team_word"
"""The category of terms that may mean a team."""

NAMED_SERVICE = "named_service"
"""The category of an alert whose service or application has a name that is not in the vocabulary."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """Evidence for a team: applies if all conditions match, unless an `unless` category matches at least as strongly.

    `weight` is in log-odds. A rule without conditions always applies: it is the prior of its team.
    """

    team: Responsibility
    conditions: tuple[Condition, ...]
    unless: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class TuningAdvice:
    """One preventive change; `config` is the configuration to suggest where there is no command."""

    type: TuningType
    text: Mapping[Language, str]
    config: str


@dataclass(frozen=True, eq=False)
class Cause:
    """A likely cause within a team; it applies if all conditions of any of the `alternatives` match.

    `depth` is the layer of the stack, 1 (front end, tools) to 5 (platform): of two simultaneous faults the one with
    the higher depth is taken for the root cause. `remedy` is one of none, restart, hpa, limits; a command is suggested
    only for a named workload.
    """

    id: str
    team: Responsibility
    alternatives: tuple[tuple[Condition, ...], ...]
    depth: int
    remedy: str
    title: Mapping[Language, str]
    explanation: Mapping[Language, str]
    first_steps: Mapping[Language, str]
    tuning: tuple[TuningAdvice, ...]

    @cached_property
    def categories(self) -> frozenset[str]:
        """All categories in the conditions of any alternative."""
        return frozenset(name for alternative in self.alternatives for condition in alternative for name in condition)


@dataclass(frozen=True, slots=True)
class FieldWeights:
    """The weight, 0 to 1, of a match in each field of an alert, and how labels and annotations are classified.

    The fields have the meaning of `[fields]` in routing.toml.
    """

    name: float
    summary: float
    detail: float
    remainder: float
    subject: float
    label: float
    label_name: float
    subject_labels: frozenset[str]
    common_label_names: frozenset[str]
    summary_annotations: frozenset[str]
    ignored: frozenset[str]
    exporters: frozenset[str]


@dataclass(frozen=True, slots=True)
class ConfidenceCurve:
    """Confidence from scores, as points (score, confidence) of piecewise linear curves.

    `margins` maps the lead of the best team over the second, `ceilings` the best team's own score; the lower of the two
    counts. `unknown` is the confidence where no rule with conditions applies.
    """

    margins: tuple[tuple[float, float], ...]
    ceilings: tuple[tuple[float, float], ...]
    unknown: float


@dataclass(frozen=True)
class RuleSet:
    """All rules, causes, field weights and phrases."""

    categories: Mapping[str, tuple[str, ...]]
    unstemmed: tuple[str, ...]
    rules: tuple[Rule, ...]
    causes: tuple[Cause, ...]
    fields: FieldWeights
    confidence: ConfidenceCurve
    phrases: Mapping[Language, Mapping[str, str]] = field(repr=False)

    @cached_property
    def lexicon(self) -> Lexicon:
        """The vocabulary, indexed for matching; terms that no rule uses stay, because they hide shorter terms."""
        used = self._used_categories() | {DIRECTIVE, OBLIGATION, NAMING, TEAM_WORD, "noise"}
        categories = {name: terms for name, terms in self.categories.items() if "." not in name or name in used}
        return Lexicon(categories, self.unstemmed)

    @cached_property
    def rules_by_category(self) -> Mapping[str, tuple[Rule, ...]]:
        """Rules by each category of their first condition; rules without conditions under the empty category."""
        index: dict[str, list[Rule]] = {"": []}
        for rule in self.rules:
            for category in rule.conditions[0] if rule.conditions else ("",):
                index.setdefault(category, []).append(rule)
        return {category: tuple(rules) for category, rules in index.items()}

    @cached_property
    def causes_by_team(self) -> Mapping[Responsibility, tuple[Cause, ...]]:
        """Causes by team, in the order of their files; the last of each team has no conditions."""
        return {team: tuple(c for c in self.causes if c.team is team) for team in Responsibility}

    def check(self) -> None:
        """Check that the rule set is consistent.

        Raises:
            ValueError: A rule or cause uses an unknown category, or a team has no cause without conditions.
        """
        unknown = sorted(self._used_categories() - {*self.categories, NAMED_SERVICE})
        if unknown:
            raise ValueError(f"rules use categories that are not in the vocabulary: {', '.join(unknown)}")
        for team in Responsibility:
            causes = self.causes_by_team[team]
            if not causes or causes[-1].alternatives != ((),):
                raise ValueError(f"the last cause of {team} must have no conditions, so that one always applies")

    def _used_categories(self) -> set[str]:
        by_rules = {
            category
            for rule in self.rules
            for category in (*rule.unless, *(name for condition in rule.conditions for name in condition))
        }
        return by_rules.union(*(cause.categories for cause in self.causes))
