import re

import pytest

from openclaw_stream.errors import SettingsError
from openclaw_stream.settings import LangfuseSettings, load_settings


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in LangfuseSettings.model_fields:
        monkeypatch.delenv(LangfuseSettings.variable(field), raising=False)


def test_nothing_is_traced_by_default() -> None:
    settings = load_settings().langfuse
    assert not settings.configured
    assert (settings.url, settings.deprecated) == ("https://cloud.langfuse.com", None)


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "LANGFUSE_PUBLIC_KEY": "pk",
        "LANGFUSE_SECRET_KEY": "sk",
        "LANGFUSE_BASE_URL": "https://langfuse.example/",
        "LANGFUSE_HOST": "https://old.example",
        "LANGFUSE_TRACING_ENABLED": "true",
        "LANGFUSE_TRACING_ENVIRONMENT": "prod-1",
        "LANGFUSE_SAMPLE_RATE": "0.25",
        "LANGFUSE_TIMEOUT": "7",
        "LANGFUSE_FLUSH_AT": "8",
        "LANGFUSE_FLUSH_INTERVAL": "0.5",
    }
    assert set(values) == {LangfuseSettings.variable(field) for field in LangfuseSettings.model_fields}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings().langfuse
    assert settings.configured
    assert (settings.url, settings.deprecated) == (
        "https://langfuse.example",
        "LANGFUSE_HOST is deprecated: set LANGFUSE_BASE_URL",
    )
    assert (settings.tracing_environment, settings.sample_rate, settings.timeout) == ("prod-1", 0.25, 7)
    assert (settings.flush_at, settings.flush_interval) == (8, 0.5)


def test_disabled_tracing_is_not_configured() -> None:
    assert not LangfuseSettings(public_key="pk", secret_key="sk", tracing_enabled=False).configured  # noqa: S106


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"LANGFUSE_PUBLIC_KEY": "pk"}, "LANGFUSE_PUBLIC_KEY needs LANGFUSE_SECRET_KEY"),
        ({"LANGFUSE_SECRET_KEY": "sk"}, "LANGFUSE_SECRET_KEY needs LANGFUSE_PUBLIC_KEY"),
        ({"LANGFUSE_TRACING_ENVIRONMENT": "Langfuse prod"}, "LANGFUSE_TRACING_ENVIRONMENT='Langfuse prod' is not"),
        ({"LANGFUSE_SAMPLE_RATE": "1.5"}, "LANGFUSE_SAMPLE_RATE='1.5' is not allowed"),
        ({"LANGFUSE_BASE_URL": "localhost"}, "LANGFUSE_BASE_URL='localhost' is not allowed"),
        ({"LANGFUSE_TIMEOUT": "0"}, "LANGFUSE_TIMEOUT='0' is not allowed"),
    ],
)
def test_wrong_settings_are_named_in_the_error(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=re.escape(message)):
        load_settings()
