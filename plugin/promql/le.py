"""How the bound of a histogram's bucket is written in the label `le`."""

from decimal import Decimal


def spellings(bound: Decimal) -> str:
    """A regular expression for every way in which clients and servers write `bound`.

    Prometheus 3 writes 250 as "250.0", older servers as it was exposed; Go's clients write a
    million as "1e+06".
    """
    plain = f"{bound.normalize():f}"
    written = [plain.replace(".", "[.]") if "." in plain else f"{plain}([.]0)?"]
    if bound >= 1_000_000:
        digits, exponent = f"{bound.normalize():e}".split("e")
        written.append(f"{digits.replace('.', '[.]')}e[+]{int(exponent):02d}")
    return "|".join(written)
