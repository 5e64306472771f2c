"""Fly a scenario in a script: what the guard alerts, and what the agent decides."""

from qiki.flight import Flight
from qiki.world import load_scenario

flight = Flight(load_scenario("mixed-traffic"), seed=7)
for moment in flight.fly(30.0):
    for alert in moment.frame.tracked.judgement.alerts if moment.frame else ():
        print(f"{moment.t_s:5.1f} s  {alert.message}")
    for decision in moment.decisions:
        print(f"{moment.t_s:5.1f} s  {decision.status.name}: {decision.justification}")
