"""How candidates are proposed and which are stopped early: samplers and pruners."""
