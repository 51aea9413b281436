"""When Prometheus knows what has been counted: it scrapes every target, each at its own time."""


def lag(interval: float) -> float:
    """Seconds until all targets have been scraped, each of them every `interval` seconds.

    Some more are for a scrape that takes its time.
    """
    return interval + min(interval / 4, 5)
