"""A study as it is stored: begun, opened again, read, its trials and confirms, recovery."""

from __future__ import annotations

from search.study.results import Study, StudyTrial

__all__ = ["Study", "StudyTrial"]
