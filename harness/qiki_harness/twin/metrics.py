"""Numbers from the text of a service's `/metrics`."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families


def sum_of(page: str, name: str, labels: Mapping[str, str]) -> float:
    """Return the sum of the samples of that name with these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
