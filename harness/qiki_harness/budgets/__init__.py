"""Budgets: what the services of a native stack may take, in one table, and a run that judges them by it."""
