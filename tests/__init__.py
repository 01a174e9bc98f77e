"""The tests; a package, so that no package of that name in a Python takes their place."""
