"""The rule set, indexed for matching; `loading` reads it from the TOML files in this folder."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from openclaw_stream.alerts.subject import ALERT, SERVICE
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
"""The category of an alert about a service or application whose name names no technology."""

NAMED_IN_TITLE = "named_in_title"
"""The category of an alert whose own name has the name of such a service: it watches what that service does."""

SEVERAL_CHANGES = "several_changes"
"""The category of a case with a fault and notices of several changes."""

EVERYWHERE = "everywhere"
"""The category of a case in which parts of all teams are at fault, and the platform is not the root cause."""

TECHNOLOGY = "technology"
"""The prefix of the categories of technologies."""

_LIKE_SERVICES = frozenset(("application", "component", "database", "function"))
"""Kinds of subjects of which the same is looked at first as of services."""

Checks = Mapping[Language, tuple[str, ...]]
"""What to look at first, most telling first, by language."""


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
class SecondTeam:
    """A team that comes second, beside `first`, if all conditions match."""

    first: Responsibility
    second: Responsibility
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class TuningAdvice:
    """One preventive change; `config` is the configuration to suggest where there is no command."""

    type: TuningType
    text: Mapping[Language, str]
    config: str


@dataclass(frozen=True, eq=False)
class Cause:
    """A likely cause within a team.

    It applies if all conditions of any of the `alternatives` match, and no `unless` category at least as strongly. The
    last cause of a team has no conditions: it stands for an unknown cause. `depth` is the layer of the stack, 1 (front
    end, tools) to 5 (platform): of two simultaneous faults the one with the higher depth is taken for the root cause.
    `checks` are the first steps to take, at most three. `refines`: it explains a symptom that other words state more
    strongly (errors since a release), so a match in any sentence is enough, and counts fully.
    """

    id: str
    team: Responsibility
    alternatives: tuple[tuple[Condition, ...], ...]
    unless: Condition
    refines: bool
    depth: int
    title: Mapping[Language, str]
    explanation: Mapping[Language, str]
    checks: Checks
    tuning: tuple[TuningAdvice, ...]

    @property
    def is_unknown(self) -> bool:
        """Whether it stands for an unknown cause."""
        return self.alternatives == ((),)

    @cached_property
    def categories(self) -> frozenset[str]:
        """All categories in the conditions of any alternative."""
        return frozenset(name for alternative in self.alternatives for condition in alternative for name in condition)


IndexedCause = tuple[int, tuple[Condition, ...]]
"""The position of a cause in the rule set, and one of its alternatives."""


@dataclass(frozen=True, slots=True)
class Technology:
    """A product or platform that alerts name by its `terms`, with the checks that fit any fault of it.

    `commands_of` are the ids of other technologies whose commands work there, as those of MySQL do in Galera.
    """

    id: str
    name: str
    team: Responsibility
    terms: tuple[str, ...]
    checks: Checks
    commands_of: tuple[str, ...] = ()

    @property
    def category(self) -> str:
        """The category of its terms."""
        return f"{TECHNOLOGY}.{self.id}"


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
    subject_labels: frozenset[str]
    state_labels: frozenset[str]
    summary_annotations: frozenset[str]
    ignored: frozenset[str]
    exporters: frozenset[str]
    name_categories: frozenset[str]


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
    """All rules, causes, field weights and phrases; `symptoms` and `resources` point to no team: see routing.toml."""

    categories: Mapping[str, tuple[str, ...]]
    unstemmed: tuple[str, ...]
    rules: tuple[Rule, ...]
    causes: tuple[Cause, ...]
    technologies: tuple[Technology, ...]
    subjects: Mapping[str, Checks]
    fields: FieldWeights
    symptoms: frozenset[str]
    resources: tuple[str, ...]
    confidence: ConfidenceCurve
    phrases: Mapping[Language, Mapping[str, str]] = field(repr=False)
    seconds: tuple[SecondTeam, ...] = ()
    close_seconds: tuple[SecondTeam, ...] = ()

    @cached_property
    def lexicon(self) -> Lexicon:
        """The vocabulary, indexed for matching; terms that no rule uses stay, because they hide shorter terms."""
        used = self._used_categories() | {DIRECTIVE, OBLIGATION, NAMING, TEAM_WORD, "noise"}
        categories = {name: terms for name, terms in self.categories.items() if "." not in name or name in used}
        technologies = {each.category: each.terms for each in self.technologies}
        return Lexicon(categories | technologies, self.unstemmed)

    @cached_property
    def rules_by_category(self) -> Mapping[str, tuple[Rule, ...]]:
        """Rules by each category of their first condition; rules without conditions under the empty category."""
        index: dict[str, list[Rule]] = {"": []}
        for rule in self.rules:
            for category in rule.conditions[0] if rule.conditions else ("",):
                index.setdefault(category, []).append(rule)
        return {category: tuple(rules) for category, rules in index.items()}

    @cached_property
    def part_conditions(self) -> Mapping[Rule, tuple[Condition, ...]]:
        """By rule, its conditions that name a part or a technology of its own team, and no symptom."""
        parts = {
            (rule.team, category)
            for rule in self.rules
            if len(rule.conditions) == 1
            for category in rule.conditions[0]
            if category.partition(".")[0] not in self.symptoms
        }
        return {
            rule: tuple(each for each in rule.conditions if all((rule.team, category) in parts for category in each))
            for rule in self.rules
        }

    @cached_property
    def technologies_by_category(self) -> Mapping[str, Technology]:
        """Technologies by the category of their terms."""
        return {each.category: each for each in self.technologies}

    def subject_checks(self, kind: str, team: Responsibility) -> Checks:
        """Return what to look at first for a kind of subject: what is most specific of kind and team."""
        kind = SERVICE if kind in _LIKE_SERVICES else kind
        keys = (f"{kind}/{team}", kind, f"{ALERT}/{team}")
        return next((self.subjects[key] for key in keys if key in self.subjects), self.subjects[ALERT])

    @cached_property
    def causes_by_team(self) -> Mapping[Responsibility, tuple[Cause, ...]]:
        """Causes by team, in the order of their files; the last of each team has no conditions."""
        return {team: tuple(c for c in self.causes if c.team is team) for team in Responsibility}

    @cached_property
    def causes_by_category(self) -> Mapping[tuple[Responsibility, str], tuple[IndexedCause, ...]]:
        """Causes by their team and by each category of one condition, the one with the rarest categories."""
        alternatives = [(n, cause, each) for n, cause in enumerate(self.causes) for each in cause.alternatives if each]
        uses = Counter(name for _, _, each in alternatives for condition in each for name in condition)
        index: dict[tuple[Responsibility, str], list[IndexedCause]] = {}
        for position, cause, conditions in alternatives:
            rarest = min(conditions, key=lambda condition: sum(uses[name] for name in condition))
            for name in rarest:
                index.setdefault((cause.team, name), []).append((position, conditions))
        return {key: tuple(causes) for key, causes in index.items()}

    def check(self) -> None:
        """Check that the rule set is consistent.

        Raises:
            ValueError: A rule or cause uses an unknown category, or a team has no cause without conditions.
        """
        technologies = {each.category for each in self.technologies}
        unknown = sorted(
            (self._used_categories() | self.symptoms | {*self.resources})
            - {*self.categories, *technologies, NAMED_SERVICE, NAMED_IN_TITLE, SEVERAL_CHANGES, EVERYWHERE}
        )
        if unknown:
            raise ValueError(f"rules use categories that are not in the vocabulary: {', '.join(unknown)}")
        for team in Responsibility:
            causes = self.causes_by_team[team]
            if not causes or not causes[-1].is_unknown:
                raise ValueError(f"the last cause of {team} must have no conditions, so that one always applies")
        if ALERT not in self.subjects:
            raise ValueError(f"subjects.toml needs [{ALERT}], the checks of subjects of any other kind")

    def _used_categories(self) -> set[str]:
        by_rules = {
            category
            for rule in self.rules
            for category in (*rule.unless, *(name for condition in rule.conditions for name in condition))
        }
        seconds = (*self.seconds, *self.close_seconds)
        by_rules.update(name for each in seconds for condition in each.conditions for name in condition)
        return by_rules.union(*(cause.categories | {*cause.unless} for cause in self.causes))
