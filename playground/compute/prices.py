"""What a nodepool's machines cost: US dollars for an hour of a replica, as its instance types say."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from playground.compute.models import Nodepool

_MOST = Decimal(1_000_000)


def read_price(given: Any) -> str:
    """A price as it is kept, like ``"0.42"``; "" for none. Raises InputError."""
    if given is None or given == "":
        return ""
    try:
        price = Decimal(str(given).strip().removeprefix("$"))
    except InvalidOperation:
        price = Decimal("NaN")
    if isinstance(given, bool) or not price.is_finite() or not 0 <= price <= _MOST:
        raise InputError(f'price: US dollars for an hour, like "0.42", are needed, not {str(given)[:80]!r}.')
    return f"{price.normalize():f}"


def price_of(nodepool: Nodepool) -> float | None:
    """Dollars for an hour of a replica there; None where that is not said, or differs between its instance types."""
    prices = {kind.get("price", "") for kind in nodepool.instance_types}
    return float(prices.pop()) if len(prices) == 1 and "" not in prices else None
