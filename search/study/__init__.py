"""Stored studies: made, resumed and read, with their trials and confirms, and recovery."""

from __future__ import annotations

from search.study.results import Study, StudyTrial

__all__ = ["Study", "StudyTrial"]
