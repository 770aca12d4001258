"""The runner: a notebook and parameters in, a run folder and a report out."""
