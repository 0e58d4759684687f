"""The groups of settings: one class per prefix of environment variables."""

from typing import Annotated, Literal, Self

from pydantic import ByteSize, Field, FilePath, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from openclaw_stream.alerts.identity import Grouping
from openclaw_stream.alerts.matchers import Matchers
from openclaw_stream.alerts.reader import HEARTBEATS, AlertReader
from openclaw_stream.alerts.severity import Severities
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.settings.types import (
    Address,
    GroupId,
    Labels,
    ListenAddress,
    MatcherText,
    Seconds,
    Servers,
    SeverityWords,
    Timeout,
    TopicName,
    any_case,
)
from openclaw_stream.vocabulary import Language

_DEFAULT = Timers()


class SettingsGroup(BaseSettings):
    """A frozen group of settings; an empty variable counts as unset.

    A field is set by its alias, or by the prefix of its group and its name. In code it is always set by its name.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        env_ignore_empty=True,
        extra="forbid",
        hide_input_in_errors=True,
        populate_by_name=True,
        loc_by_alias=False,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature of pydantic-settings
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources: arguments, then environment variables."""
        # With populate_by_name the bare name of a field with an alias would be a variable too, such as TIMEOUT.
        env_settings.config = SettingsConfigDict(**{**env_settings.config, "populate_by_name": False})
        return init_settings, env_settings

    @classmethod
    def variable(cls, field: str) -> str:
        """Return the environment variable that sets `field`, in upper case."""
        alias = cls.model_fields[field].validation_alias
        return alias if isinstance(alias, str) else f"{cls.model_config.get('env_prefix', '')}{field}".upper()


class KafkaSettings(SettingsGroup):
    """The connection to the brokers and the consumer group."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_")

    bootstrap_servers: Servers = Field("127.0.0.1:9092", description="host:port, several separated by commas")
    group_id: GroupId = Field(
        "openclaw-stream",
        description="1 to 200 printable ASCII characters without spaces; also the start of every transactional id",
    )
    auto_offset_reset: Annotated[Literal["earliest", "latest"], any_case("earliest", "latest")] = Field(
        "earliest", description="earliest or latest: where a consumer group without committed offsets begins"
    )
    security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"],
        any_case("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
    ] = Field("PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL")
    sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], any_case("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
    ] = Field("PLAIN", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
    sasl_username: str | None = Field(None, description="the user name of a SASL protocol")
    sasl_password: SecretStr | None = Field(None, description="the password of a SASL protocol")
    ssl_cafile: FilePath | None = Field(None, description="a PEM file of the authorities to trust")
    ssl_certfile: FilePath | None = Field(None, description="a PEM file of the client's certificate")
    ssl_keyfile: FilePath | None = Field(None, description="a PEM file of the client's key, without a passphrase")
    session_timeout: Timeout = Field(
        10, description="seconds, 1 to 3600: silence after which a worker leaves the group"
    )
    transaction_timeout: Timeout = Field(
        15, description="seconds, 1 to 3600: when the brokers abort an abandoned transaction"
    )
    open_transaction_timeout: Timeout = Field(
        20, description="seconds, 1 to 3600: how long an open transaction of another producer may block reading"
    )

    @property
    def request_timeout(self) -> float:
        """Seconds a broker may take for one request: short enough to repeat a heartbeat within the session."""
        return max(self.session_timeout / 3, 3.0)

    @property
    def uses_sasl(self) -> bool:
        """Whether the protocol needs a user name and a password."""
        return self.security_protocol.startswith("SASL_")

    @property
    def uses_ssl(self) -> bool:
        """Whether the protocol encrypts."""
        return self.security_protocol.endswith("SSL")

    @model_validator(mode="after")
    def _check_credentials(self) -> Self:
        if self.uses_sasl and not (self.sasl_username and self.sasl_password):
            raise ValueError(
                f"KAFKA_SECURITY_PROTOCOL={self.security_protocol} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
            )
        if not self.uses_sasl and (self.sasl_username or self.sasl_password):
            raise ValueError(
                "KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD is set, but KAFKA_SECURITY_PROTOCOL="
                f"{self.security_protocol} does not use it; set SASL_SSL or SASL_PLAINTEXT"
            )
        if not self.uses_ssl and (self.ssl_cafile or self.ssl_certfile or self.ssl_keyfile):
            raise ValueError(
                "KAFKA_SSL_CAFILE, KAFKA_SSL_CERTFILE or KAFKA_SSL_KEYFILE is set, but KAFKA_SECURITY_PROTOCOL="
                f"{self.security_protocol} does not use it; set SSL or SASL_SSL"
            )
        if self.ssl_keyfile and not self.ssl_certfile:
            raise ValueError("KAFKA_SSL_KEYFILE needs KAFKA_SSL_CERTFILE")
        return self


class TopicSettings(SettingsGroup):
    """The names of the topics."""

    model_config = SettingsConfigDict(env_prefix="OPENCLAW_TOPIC_")

    alerts: TopicName = Field("openclaw.alerts.v1", description="the topic of the alerts, which is read")
    decisions: TopicName = Field("openclaw.decisions.v1", description="the topic of the decisions")
    tuning: TopicName = Field("openclaw.tuning.v1", description="the topic of the shadow-tuning events")
    incidents: TopicName = Field("openclaw.incidents.v1", description="the compacted topic of the group states")
    dead_letter: TopicName = Field(
        "openclaw.dead-letter.v1", description="the topic of records that cannot be decoded or folded"
    )

    @model_validator(mode="after")
    def _check_distinct(self) -> Self:
        seen: dict[str, str] = {}
        for field, name in self:
            # Kafka refuses a topic whose name differs from another's in dots and underscores only.
            other = seen.setdefault(name.replace(".", "_"), field)
            if other != field:
                raise ValueError(
                    f"{self.variable(other)} and {self.variable(field)} are the same topic {name!r}; every topic needs "
                    "a name of its own (dots and underscores count as equal)"
                )
        return self


class IncidentSettings(SettingsGroup):
    """How alerts are folded into incidents."""

    model_config = SettingsConfigDict(env_prefix="OPENCLAW_")

    group_by: Labels = Field(("namespace", "service"), description="label names separated by commas")
    severities: SeverityWords = Field(
        default_factory=dict,
        description="WORD=SEVERITY, separated by commas, such as P1=critical,P2=high: before the known words",
    )
    ignore: MatcherText = Field(
        "", description='matchers in the syntax of Alertmanager, such as alertname="X", namespace=~"dev-.*"'
    )
    heartbeats: MatcherText = Field(
        HEARTBEATS, description="matchers in the syntax of Alertmanager, of alerts that fire as long as all is well"
    )
    group_wait: Seconds = Field(_DEFAULT.group_wait / 1000, description="seconds, 0 to a year")
    group_wait_critical: Seconds = Field(_DEFAULT.group_wait_critical / 1000, description="seconds, 0 to a year")
    group_interval: Seconds = Field(_DEFAULT.group_interval / 1000, description="seconds, 0 to a year")
    resolve_hold: Seconds = Field(_DEFAULT.resolve_hold / 1000, description="seconds, 0 to a year")
    max_silence: Seconds = Field(
        _DEFAULT.max_silence / 1000, description="seconds, above OPENCLAW_RESOLVE_HOLD, at most a year"
    )

    @property
    def reader(self) -> AlertReader:
        """A new reader of alerts."""
        return AlertReader(
            Grouping(self.group_by), Severities(self.severities), Matchers(self.ignore), Matchers(self.heartbeats)
        )

    @property
    def timers(self) -> Timers:
        """The timers in whole milliseconds; a group interval above the default longest interval becomes the longest."""
        interval = _milliseconds(self.group_interval)
        return Timers(
            group_wait=_milliseconds(self.group_wait),
            group_wait_critical=_milliseconds(self.group_wait_critical),
            group_interval=interval,
            max_interval=max(interval, _DEFAULT.max_interval),
            resolve_hold=_milliseconds(self.resolve_hold),
            max_silence=_milliseconds(self.max_silence),
        )

    @field_validator("max_silence")
    @classmethod
    def _check_silence(cls, silence: float, info: ValidationInfo) -> float:
        hold = info.data.get("resolve_hold", 0.0)
        if _milliseconds(silence) <= _milliseconds(hold):
            raise ValueError(f"it must exceed OPENCLAW_RESOLVE_HOLD ({hold:g})")
        return silence


class WorkerSettings(SettingsGroup):
    """Commits, backpressure and shutdown of the worker."""

    model_config = SettingsConfigDict(env_prefix="OPENCLAW_")

    commit_interval: Seconds = Field(
        2, gt=0, description="seconds, above 0: how often states that only count repeats are written"
    )
    max_pending_bytes: ByteSize = Field(
        ByteSize(64 << 20),
        ge=1,
        description="bytes, or a size such as 64MiB: undecided work at which reading is paused",
    )
    max_pending_decisions: int = Field(
        1000, ge=1, le=1_000_000, description="1 to 1000000: length of the decision queue"
    )
    shutdown_timeout: Timeout = Field(25, description="seconds, 1 to 3600: how long a drain may take at shutdown")


class ArbiterSettings(SettingsGroup):
    """The texts of decisions."""

    model_config = SettingsConfigDict(env_prefix="OPENCLAW_")

    language: Annotated[Language, any_case(*Language)] = Field(
        Language.ZH_TW, description="zh-TW or en: the language of the texts"
    )


class OwnerSettings(SettingsGroup):
    """Who owns which subject."""

    model_config = SettingsConfigDict(env_prefix="OPENCLAW_")

    owners: FilePath | None = Field(None, description="a TOML file of [[owner]] entries")
    team_label: Annotated[str, Field(pattern=r"^[!-~]{1,200}$")] | None = Field(
        None, description="the name of a label, 1 to 200 printable ASCII characters without spaces"
    )


class ShadowSettings(SettingsGroup):
    """How tuning events are marked; nothing is executed in either mode."""

    model_config = SettingsConfigDict(env_prefix="SHADOW_MODE_")

    enabled: bool = Field(default=True, description="true or false")


class LogSettings(SettingsGroup):
    """Levels and format of the logs."""

    model_config = SettingsConfigDict(env_prefix="OPENCLAW_LOG_")

    level: Annotated[Literal["debug", "info", "warning", "error"], any_case("debug", "info", "warning", "error")] = (
        Field("info", description="debug, info, warning or error: of this package")
    )
    library_level: (
        Annotated[Literal["debug", "info", "warning", "error"], any_case("debug", "info", "warning", "error")] | None
    ) = Field(None, description="debug, info, warning or error: of other libraries; unset for warnings and errors")
    format: Annotated[Literal["json", "console"], any_case("json", "console")] = Field(
        "json", description="json or console"
    )


class HttpSettings(SettingsGroup):
    """The address of health and metrics."""

    model_config = SettingsConfigDict(env_prefix="OPENCLAW_HTTP_", env_ignore_empty=False)

    addr: ListenAddress = Field(
        Address("127.0.0.1", 8080),
        description="host:port, [ipv6]:port, or empty to serve nothing; 0.0.0.0:8080 listens on every interface",
    )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
