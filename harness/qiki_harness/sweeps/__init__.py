"""Sweeps: scenarios, seeds, engines and parameters, each flown once, here or on a Ray cluster."""
