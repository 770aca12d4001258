"""Beyond paths and indices: sections of a report that are asked for one by one."""
