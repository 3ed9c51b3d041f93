"""The green channel (绿色通道) with the real daemon: a new loss at the gateway, and nobody does
anything, until the lamp is red in SQL.

`python -m bench.urgent` measures the same on the full county, with a citizens' report too.
"""

from __future__ import annotations

import pytest

from bench.urgent import AT_MOST, seconds_to_red, synced_home
from tests.conftest import Show


@pytest.mark.long
def test_a_new_loss_turns_a_lamp_red_by_the_daemon_alone(show: Show) -> None:
    with synced_home(1000) as home:
        found = seconds_to_red(home, "losses")
        (release,) = home.ask("select is_provisional from yihu.release where is_current")
    show("The green channel", ", ".join(f"{name} {value}" for name, value in found.items()))
    assert found["was"] == "green"
    assert release
    # on a machine that others use too, what was computed says more than the clock
    assert min(found["seconds"], found["cpu"] + 25) < AT_MOST
