"""The world that `qiki up` is asked for, checked before anything starts."""

from collections.abc import Mapping

from pydantic import ValidationError

from q_sim_service.settings import SimulatorSettings
from qiki.errors import UserError
from qiki.world.scenario import load_scenario
from qiki_harness.errors import HarnessError


def check_choices(chosen: Mapping[str, object]) -> None:
    """Refuse what the simulator would refuse.

    Args:
        chosen: scenario, seed, speed and run_id, as far as they are given

    Raises:
        HarnessError: names the option.
    """
    try:
        SimulatorSettings.model_validate({f"qiki_{name}": value for name, value in chosen.items()})
    except ValidationError as error:
        for fault in error.errors(include_url=False):  # other settings are not ours to judge
            name = str(fault["loc"][0]).removeprefix("qiki_")
            if name in chosen:
                raise HarnessError(f"--{name.replace('_', '-')} {chosen[name]}: {fault['msg']}") from None
    if "scenario" in chosen:
        try:
            load_scenario(str(chosen["scenario"]))
        except UserError as error:
            raise HarnessError(f"--scenario: {error}") from None
