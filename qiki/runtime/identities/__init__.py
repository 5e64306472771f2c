"""Identities: keys, the broker's rights made from the tables, and the credentials of clients."""
