"""The studies of a database as wholes: listed, renamed, deleted, copied and merged."""

from __future__ import annotations

from search.studies.copying import copy_study
from search.studies.deleting import delete_study
from search.studies.listing import StudyEntry, list_studies
from search.studies.making import MadeStudy
from search.studies.merging import merge_studies
from search.studies.renaming import rename_study

__all__ = [
    "MadeStudy",
    "StudyEntry",
    "copy_study",
    "delete_study",
    "list_studies",
    "merge_studies",
    "rename_study",
]
