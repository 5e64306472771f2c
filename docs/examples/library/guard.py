"""Judge tracks with a guard rule of your own."""

from qiki.flight import Flight
from qiki.guard import GuardJudge, GuardRule, GuardRules
from qiki.world import load_scenario

rule = GuardRule(id="NEAR", description="Close", severity="warning", fsm_event="NEAR", max_range_m=120)
judge = GuardJudge(GuardRules(rules=(rule,)))
for moment in Flight(load_scenario("mixed-traffic"), agent=None).fly(60.0):
    if moment.frame:
        for alert in judge.judge(moment.frame.tracked.reports).alerts:
            print(f"{moment.t_s:5.1f} s  {alert.track_id} at {alert.range_m:.0f} m")
