"""``python -m search.cli``: the command line without its script."""

from __future__ import annotations

import sys

from search.cli.app import main

sys.exit(main())
