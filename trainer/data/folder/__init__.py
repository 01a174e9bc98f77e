"""Folders of images, one subfolder for each class."""

from __future__ import annotations

from trainer.data.folder.contents import FolderContents
from trainer.data.folder.inspection import inspect_folder
from trainer.data.folder.one_image import read_image
from trainer.data.folder.rules_1 import open_by_rules_1

__all__ = ["FolderContents", "inspect_folder", "open_by_rules_1", "read_image"]
