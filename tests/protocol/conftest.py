"""How hypothesis runs here: no deadlines, which a busy machine breaks, and enough examples for a second or two."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("protocol", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("protocol")
