"""HTTP to the services of a stack, without the proxy that the user's shell may set."""

from urllib.request import ProxyHandler, build_opener

open_url = build_opener(ProxyHandler({})).open
"""As `urllib.request.urlopen`."""
