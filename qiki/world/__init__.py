"""The simulated world: the vehicle, the contacts and the scenario that they come from."""
