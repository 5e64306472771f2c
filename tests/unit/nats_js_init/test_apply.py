"""What counts as a difference between what exists and what is wanted."""

from dataclasses import replace

import pytest
from nats.js.api import ConsumerConfig, StreamConfig

from nats_js_init.settings import InitSettings
from nats_js_init.streams import differences, plan

SECONDS = [16.4, 0.1, 1.1, 33.3, 604_800.7]


@pytest.mark.parametrize("seconds", SECONDS)
def test_a_stream_made_as_planned_does_not_differ(seconds: float):
    settings = InitSettings(
        radar_max_age_sec=seconds, radar_duplicate_window_sec=seconds, radar_consumer_ack_wait_sec=seconds
    )
    for planned in plan(settings):
        made = StreamConfig.from_response(planned.config.as_dict())
        assert differences(made, planned.config) == ""
        for consumer in planned.consumers:
            assert differences(ConsumerConfig.from_response(consumer.as_dict()), consumer) == ""


def test_a_difference_of_a_millisecond_is_reported():
    wanted = plan(InitSettings())[0].config
    made = replace(wanted, max_age=3600.001, max_bytes=7, allow_direct=False)
    assert differences(made, wanted) == (
        "change max_bytes from 7 to 1073741824, change max_age from 3600.001 to 3600.0, "
        "change allow_direct from False to True"
    )


def test_values_not_planned_or_empty_on_both_sides_do_not_differ():
    assert differences(StreamConfig(name="A", max_msgs=5, subjects=[]), StreamConfig(name="A")) == ""
    assert differences(ConsumerConfig(deliver_subject=None), ConsumerConfig(deliver_subject="")) == ""
