"""Settings: environment variables, read once and checked together before anything connects.

Each group reads the variables of its prefix: `settings.kafka.group_id` is `KAFKA_GROUP_ID`. An empty variable counts as
unset, except `OPENCLAW_HTTP_ADDR`, where it switches the server off. Times are in seconds.
"""

import difflib
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from openclaw_stream.errors import SettingsError
from openclaw_stream.settings.chain import ChainSettings
from openclaw_stream.settings.groups import (
    ArbiterSettings,
    HttpSettings,
    IncidentSettings,
    KafkaSettings,
    LogSettings,
    OwnerSettings,
    SettingsGroup,
    ShadowSettings,
    TopicSettings,
    WorkerSettings,
)
from openclaw_stream.settings.langfuse import LangfuseSettings
from openclaw_stream.settings.providers import ProviderSettings
from openclaw_stream.settings.signoz import SigNozSettings
from openclaw_stream.settings.types import Address
from openclaw_stream.text import safe_text

__all__ = [
    "Address",
    "ArbiterSettings",
    "ChainSettings",
    "HttpSettings",
    "IncidentSettings",
    "KafkaSettings",
    "LangfuseSettings",
    "LogSettings",
    "OwnerSettings",
    "ProviderSettings",
    "Settings",
    "ShadowSettings",
    "SigNozSettings",
    "TopicSettings",
    "WorkerSettings",
    "load_settings",
    "unknown_settings",
]

# Kubernetes sets such variables for every Service of the namespace, such as one named openclaw-stream.
_SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?$")
_INPUT_MAX = 200


class Settings(BaseModel):
    """All groups of settings, frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    topics: TopicSettings = Field(default_factory=TopicSettings)
    incidents: IncidentSettings = Field(default_factory=IncidentSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    arbiter: ArbiterSettings = Field(default_factory=ArbiterSettings)
    ownership: OwnerSettings = Field(default_factory=OwnerSettings)
    providers: ProviderSettings = Field(default_factory=ProviderSettings)
    chain: ChainSettings = Field(default_factory=ChainSettings)
    signoz: SigNozSettings = Field(default_factory=SigNozSettings)
    langfuse: LangfuseSettings = Field(default_factory=LangfuseSettings)
    shadow_mode: ShadowSettings = Field(default_factory=ShadowSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    http: HttpSettings = Field(default_factory=HttpSettings)

    @model_validator(mode="after")
    def _check_timeouts(self) -> Self:
        chain = (
            (self.worker, "commit_interval", "a revoked partition is committed within the session"),
            (self.kafka, "session_timeout", "a worker that returns within its session still has its transaction"),
            (self.kafka, "transaction_timeout", "a running commit ends within the drain"),
            (self.worker, "shutdown_timeout", ""),
        )
        for (low, low_field, reason), (high, high_field, _) in pairwise(chain):
            below, above = getattr(low, low_field), getattr(high, high_field)
            if below >= above:
                name, limit = low.variable(low_field), high.variable(high_field)
                raise ValueError(f"{name} ({below:g}) must be below {limit} ({above:g}): {reason}")
        call, deadline = self.providers.timeout, self.chain.decision_deadline
        if call > deadline:
            raise ValueError(
                f"OPENCLAW_TIMEOUT ({call:g}) must not exceed OPENCLAW_DECISION_DEADLINE ({deadline:g}): "
                "a call is part of a decision"
            )
        return self


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: one line per problem, naming the variable, its value unless secret, and what is allowed.
    """
    groups: dict[str, Any] = {}
    problems: list[str] = []
    for name, group in _groups():
        try:
            groups[name] = group()
        except ValidationError as error:
            problems.extend(_explain(error, group))
    if problems:
        raise SettingsError("\n".join(problems))
    try:
        return Settings(**groups)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error, SettingsGroup))) from None


def unknown_settings() -> list[str]:
    """Return a warning for each unknown `OPENCLAW_*` variable, with the setting of the most similar name."""
    known = {group.variable(field) for _, group in _groups() for field in group.model_fields}
    warnings = []
    for name in sorted(os.environ):
        if name.upper() in known or not name.upper().startswith("OPENCLAW_") or _SERVICE_LINK.search(name):
            continue
        close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.8)
        warnings.append(
            f"{name} is set, but there is no such setting" + (f"; did you mean {close[0]}?" if close else "")
        )
    return warnings


def _groups() -> Iterator[tuple[str, type[SettingsGroup]]]:
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, SettingsGroup):
            yield name, field.annotation


def _explain(error: ValidationError, group: type[SettingsGroup]) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        reason = str(problem.get("ctx", {}).get("error", problem["msg"]))
        if not problem["loc"]:
            yield reason
            continue
        field = str(problem["loc"][0])
        info = group.model_fields[field]
        # The query of an address may contain a key.
        given = safe_text(repr(re.split(r"[?#]", str(problem["input"]))[0]), _INPUT_MAX)
        shown = "(secret)" if SecretStr in get_args(info.annotation) else f"{given:.100}"
        reason = reason[:1].lower() + reason[1:]
        yield f"{group.variable(field)}={shown} is not allowed: {reason}. Allowed: {info.description}"
