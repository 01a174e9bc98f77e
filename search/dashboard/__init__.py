"""``flyweight dashboard``: optuna-dashboard on this machine, read-only."""

from __future__ import annotations

from search.dashboard.server import dashboard, dashboard_app

__all__ = ["dashboard", "dashboard_app"]
