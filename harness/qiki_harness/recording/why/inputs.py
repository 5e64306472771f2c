"""The inputs of a flight as one tree, of which a value can be changed by its dotted name."""

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import Field, ValidationError

from qiki.agent.agent import AgentParameters
from qiki.botspec.planes import BotParameters
from qiki.contracts.fields import first_fault
from qiki.fields import Number, Spec, Whole
from qiki.flight.flight import LOCKSTEP
from qiki.guard import load_rules
from qiki.guard.rules import GuardRule, GuardRules
from qiki.world.scenario import Scenario
from qiki_harness.errors import HarnessError

if TYPE_CHECKING:
    from qiki_harness.recording.reflight import FlightPlan

_NEAR = 4
_ID = "id"
_SCENARIO = "scenario."
_EXTRA = "extra_forbidden"


class AgentNumbers(Spec):
    """The agent's numbers that can be changed."""

    bios_interval_s: Annotated[Number, Field(gt=0, le=1e6)]
    confidence_threshold: Annotated[Number, Field(ge=0, le=1)]
    lockstep_ticks: Annotated[Whole, Field(ge=1, le=1000)]

    @classmethod
    def of(cls, agent: AgentParameters) -> "AgentNumbers":
        """Return those of an agent's parameters."""
        return cls(**{name: getattr(agent, name) for name in cls.model_fields})


class InputTree(Spec):
    """All inputs of a flight: what the fields of a scenario, a vehicle's planes, the guard's rules and the agent say.

    A value is named by the fields on the way to it, separated by dots; an element of a list by its `id`, or its number
    from 0. Names of the scenario need no `scenario.` before them: `seed`, `contacts.boulder.motion.velocity_mps.0`.
    """

    scenario: Scenario
    vehicle: BotParameters
    rules: tuple[GuardRule, ...]
    agent: AgentNumbers

    @classmethod
    def of(cls, plan: "FlightPlan") -> "InputTree":
        """Return those of a plan."""
        return cls(
            scenario=plan.scenario.model_copy(update={"seed": plan.seed}),
            vehicle=plan.parameters,
            rules=(plan.rules or load_rules()).rules,
            agent=AgentNumbers.of(plan.agent or LOCKSTEP),
        )

    def plan(self, before: "FlightPlan") -> "FlightPlan":
        """Return a plan with these inputs."""
        return replace(
            before,
            scenario=self.scenario,
            seed=self.scenario.seed,
            parameters=self.vehicle,
            rules=GuardRules(rules=self.rules),
            agent=before.agent and replace(before.agent, **self.agent.model_dump()),
        )

    def changed(self, setting: str) -> tuple["InputTree", str]:
        """Return the inputs with one value changed, by `NAME=VALUE`, and the change in words.

        Raises:
            HarnessError: there is no such name, or the value is not allowed, or not another one.
        """
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals or not name:
            raise HarnessError(f"--set {setting}: expected FIELD=VALUE")
        value = parsed(text)
        changed, before = self.given(name, value)
        if changed == self:
            raise HarnessError(f"--set {setting}: it is {_shown(before)} already")
        return changed, f"{name} were {_shown(value)} instead of {_shown(before)}"

    def given(self, name: str, value: Any) -> tuple["InputTree", Any]:
        """Return the inputs with a value at a dotted name, and the value that was there.

        Raises:
            HarnessError: there is no such name, or the value is not allowed.
        """
        tree = self.model_dump(mode="json")
        try:
            path = _path(name if name.partition(".")[0] in tree else f"{_SCENARIO}{name}", tree)
        except LookupError:
            raise _unknown(name, tree) from None
        container: Any = tree
        for key in path[:-1]:
            container = container[key]
        before = container.get(path[-1]) if isinstance(container, dict) else container[path[-1]]
        container[path[-1]] = value
        try:
            return InputTree.model_validate(tree), before
        except ValidationError as error:
            if error.errors()[0]["type"] == _EXTRA:
                raise _unknown(name, self.model_dump(mode="json")) from None
            raise HarnessError(f"--set {name}={_shown(value)}: {first_fault(error)}") from None


Key = str | int


def _path(name: str, node: Any) -> list[Key]:
    """Return the keys on the way to a value; the last may be a new one of a mapping. LookupError without a way."""
    choices = _choices(node)
    found = max((one for one in choices if name == one or name.startswith(f"{one}.")), key=len, default=None)
    if found is not None:
        rest = name[len(found) + 1 :]
        return [choices[found], *(_path(rest, node[choices[found]]) if rest else ())]
    if isinstance(node, dict) and "." not in name:
        return [name]
    raise LookupError(name)


def _choices(node: Any) -> dict[str, Key]:
    """Return the names within a node, with their keys: an element of a list has its id and its number."""
    if isinstance(node, dict):
        return dict(zip(node, node, strict=True))
    if not isinstance(node, list):
        return {}
    choices: dict[str, Key] = {str(place): place for place in range(len(node))}
    return choices | {one[_ID]: place for place, one in enumerate(node) if isinstance(one, dict) and _ID in one}


def _names(node: Any, before: str = "") -> Iterator[str]:
    """Yield the dotted names of all values; an element of a list under its id, if it has one."""
    named = {key: name for name, key in _choices(node).items()}
    for key, name in named.items():
        yield f"{before}{name}"
        yield from _names(node[key], f"{before}{name}.")


def _unknown(name: str, tree: dict[str, Any]) -> HarnessError:
    names = [one.removeprefix(_SCENARIO) for one in _names(tree)]
    near = get_close_matches(name, names, _NEAR) or [*tree, *tree[_SCENARIO[:-1]]]
    return HarnessError(f"--set {name}: there is no such field (near it: {', '.join(near)})")


def parsed(text: str) -> Any:
    """Return a value that is written as YAML; a text that is none is itself."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)
