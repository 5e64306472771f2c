"""Write an engine and fly it: it climbs until the vehicle rises with 1 m/s."""

from qiki.agent import Proposal, World, fire
from qiki.flight import Flight
from qiki.world import load_scenario


class Climber:
    """Fires upwards for a second, again and again."""

    def propose(self, world: World) -> list[Proposal]:
        """Return one burn, or nothing."""
        slow = world.own is not None and world.own.velocity < 1.0
        return [Proposal((fire("up", 100.0, 1.0),), "too slow")] if slow and not world.own.propulsion.rcs_active else []


flight = Flight(load_scenario("empty"), engines={"climber": Climber()})
for moment in flight.fly(10.0):
    for decision in moment.decisions:
        print(f"{moment.t_s:5.1f} s  {decision.source}: {decision.status.name}, {decision.justification}")
print(flight.world.vehicle.velocity_mps)
