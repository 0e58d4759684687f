from openclaw_stream.demo.line_view import LineView
from tests.demo.views import assert_harmless, console, events, shown


def test_the_line_view_shows_every_event() -> None:
    to = console()
    with LineView(to) as view:
        for event in events():
            view.show(event, 3.2)
    text = shown(to)
    assert_harmless(text)
    assert text.count("alert  ") == 2
    assert text.count("DECISION") == 6
    assert text.count("resolved  ") == 3
    assert "  assumed resolved after silence\n" in text
    assert text.count("tuning  ") == 1
    assert text.count("dead letter") == 1
