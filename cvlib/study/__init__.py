"""The runner: a notebook and parameters in, a run folder and a report out."""

import sys

# nbformat loads jsonschema, and jsonschema, where it finds this package, compiles a grammar of
# web addresses for two seconds; no notebook's schema has one to check.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
