"""One shot, before the broker: makes the identities of the stack and the rights part of the broker's configuration."""
