"""Models, groups and waves compared."""
