"""One number from a service's `/metrics`."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from qiki_harness.http import open_url

_TIMEOUT_S = 5.0


def read_metric(http_url: str, name: str, labels: Mapping[str, str]) -> float:
    """Sum of the samples of that name that bear these labels."""
    with open_url(f"{http_url}/metrics", timeout=_TIMEOUT_S) as page:
        text = page.read().decode()
    return sum_of(text, name, labels)


def sum_of(text: str, name: str, labels: Mapping[str, str]) -> float:
    """The same, from the page's text."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )
