"""The command line: parse, call, print."""

from __future__ import annotations

from search.cli.app import app, main

__all__ = ["app", "main"]
