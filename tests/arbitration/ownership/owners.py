"""Files of owners for the tests."""

SHOP = """\
[[owner]]
match = 'namespace="shop", subject=~"cart|checkout.*"'
responsibility = "be"
team = "Shop backend"
contact = "https://chat.example.org/shop-backend"

[[owner]]
match = 'team="web"; kind="host"'
team = "Web"
"""
