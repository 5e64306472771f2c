"""The registrar: the audit log of everything that happened."""
