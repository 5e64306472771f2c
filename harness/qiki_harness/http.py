"""HTTP to the services of a stack: directly, whatever proxy the user's shell names for the world outside."""

from urllib.request import ProxyHandler, build_opener

open_url = build_opener(ProxyHandler({})).open
"""As `urllib.request.urlopen`."""
