"""Tracing of decisions to Langfuse; the variables are those of Langfuse's own SDK."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import SettingsConfigDict

from openclaw_stream.settings.groups import SettingsGroup
from openclaw_stream.settings.providers import Key, Url

_CLOUD = "https://cloud.langfuse.com"


def _check_environment(name: str) -> str:
    if not re.fullmatch(r"(?!langfuse)[a-z0-9_-]{1,40}", name):
        raise ValueError("a name has 1 to 40 lower-case letters, digits, hyphens and underscores")
    return name


class LangfuseSettings(SettingsGroup):
    """The Langfuse server; without its keys nothing is traced."""

    model_config = SettingsConfigDict(env_prefix="LANGFUSE_")

    public_key: Key = Field(None, description="printable ASCII characters without spaces")
    secret_key: Key = Field(None, description="printable ASCII characters without spaces")
    base_url: Url | None = Field(
        None, description=f"http:// or https://, host and port, without credentials; {_CLOUD} if unset"
    )
    host: Url | None = Field(None, description="deprecated: set LANGFUSE_BASE_URL")
    tracing_enabled: bool = Field(default=True, description="true or false")
    tracing_environment: Annotated[str, AfterValidator(_check_environment)] = Field(
        "default",
        description="1 to 40 lower-case letters, digits, hyphens and underscores, not beginning with langfuse",
    )
    sample_rate: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        1, description="0 to 1: the share of decisions that are traced"
    )
    timeout: Annotated[int, Field(ge=1, le=60)] = Field(5, description="whole seconds, 1 to 60: for one request")
    flush_at: Annotated[int, Field(ge=1, le=512)] = Field(64, description="1 to 512: observations in one request")
    flush_interval: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = Field(
        2, description="seconds, above 0, at most 60: how long an observation waits for others"
    )

    @property
    def configured(self) -> bool:
        """Whether decisions are traced."""
        return self.tracing_enabled and self.public_key is not None

    @property
    def url(self) -> str:
        """The root of the server."""
        return self.base_url or self.host or _CLOUD

    @property
    def deprecated(self) -> str | None:
        """A warning where the deprecated variable is set."""
        return "LANGFUSE_HOST is deprecated: set LANGFUSE_BASE_URL" if self.host else None

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        if (self.public_key is None) != (self.secret_key is None):
            missing, given = ("PUBLIC", "SECRET") if self.public_key is None else ("SECRET", "PUBLIC")
            raise ValueError(f"LANGFUSE_{given}_KEY needs LANGFUSE_{missing}_KEY")
        return self
