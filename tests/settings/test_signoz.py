import pytest

from openclaw_stream.errors import SettingsError
from openclaw_stream.settings import SigNozSettings, load_settings

KEY = "planted-key-0123456789"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in SigNozSettings.model_fields:
        monkeypatch.delenv(SigNozSettings.variable(field), raising=False)


def test_nothing_is_configured_by_default() -> None:
    settings = load_settings().signoz
    assert (settings.url, settings.api_key, settings.timeout) == (None, None, 5)


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNOZ_URL", "https://signoz.example:8443/")
    monkeypatch.setenv("SIGNOZ_API_KEY", f"{KEY}\n")
    monkeypatch.setenv("SIGNOZ_TIMEOUT", "2.5")
    settings = load_settings().signoz
    assert (settings.url, settings.timeout) == ("https://signoz.example:8443", 2.5)
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == KEY
    assert KEY not in repr(settings)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"SIGNOZ_URL": "signoz:8080"}, "SIGNOZ_URL"),
        ({"SIGNOZ_URL": "http://user:pass@signoz"}, "credentials"),
        ({"SIGNOZ_API_KEY": KEY}, "SIGNOZ_API_KEY needs SIGNOZ_URL"),
        ({"SIGNOZ_URL": "http://signoz", "SIGNOZ_API_KEY": f"{KEY} x"}, "SIGNOZ_API_KEY=(secret)"),
        ({"SIGNOZ_TIMEOUT": "0"}, "SIGNOZ_TIMEOUT"),
    ],
)
def test_wrong_settings_are_rejected(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], message: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert message in str(refused.value)
    assert KEY not in str(refused.value)
