"""The SigNoz server of the golden signals."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from openclaw_stream.settings.groups import SettingsGroup
from openclaw_stream.settings.providers import Key, Url
from openclaw_stream.settings.types import Timeout


class SigNozSettings(SettingsGroup):
    """SigNoz; without its URL decisions are made without golden signals."""

    model_config = SettingsConfigDict(env_prefix="SIGNOZ_")

    url: Url | None = Field(None, description="http:// or https://, host and port, without credentials")
    api_key: Key = Field(None, description="printable ASCII characters without spaces")
    timeout: Timeout = Field(5, description="seconds, 1 to 3600: for all queries about one incident")

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if self.api_key and not self.url:
            raise ValueError("SIGNOZ_API_KEY needs SIGNOZ_URL")
        return self
