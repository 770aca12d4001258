"""What either estimator hands back: named tidy tables and the warnings that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd

from cvlib.results import Result
from cvlib.satisfaction.model.model import Model


def _empty() -> pd.DataFrame:
    return pd.DataFrame()


@dataclass(frozen=True, eq=False, repr=False)
class SatisfactionResult(Result):
    """Estimates of one model on one survey; the same tables for PLS and covariance estimation.

    A table that an estimator cannot give is empty, and `warnings` says why where it matters.

    Attributes
    ----------
    model : Model
        The bound model, after anything unmapped was dropped.
    estimator : str
        "pls", "plsc" or "covariance".
    settings : Mapping[str, Any]
        Scheme, missing-data rule, draws, seed, level, interval, rows used, effective sample size.
    path_coefficients : DataFrame
        source, target, sign, estimate, std_error, t, p, ci_low, ci_high.
    loadings : DataFrame
        construct, item, loading, weight and, with draws, their std_error and interval.
    index : DataFrame
        construct, index (0-100), std_error, ci_low, ci_high.
    total_effects, indirect_effects : DataFrame
        source, target (and the route, `via`, of a specific indirect effect), estimate, inference.
    draws : DataFrame
        requested, converged, failed, inadmissible: what became of the bootstrap draws.
    left_out : DataFrame
        reason, count, share: rows not used.
    audit : DataFrame
        item, missing, share, treatment: what was done about missing answers.
    extra : Mapping[str, DataFrame]
        Further tables of one estimator, by the name they are recorded under.
    warnings : tuple of str
    """

    headline_tables: ClassVar[tuple[str, ...]] = ("index", "path_coefficients")
    charts: ClassVar[dict[str, str]] = {
        "index": "cvlib.figures.satisfaction:index_chart",
        "paths": "cvlib.figures.path_diagram:path_diagram",
        "loadings": "cvlib.figures.satisfaction:loadings_chart",
        "htmt": "cvlib.figures.satisfaction:htmt_chart",
        "importance_performance": "cvlib.figures.satisfaction:importance_performance_map",
    }
    told_by: ClassVar[str] = "cvlib.satisfaction.headline:said"

    model: Model
    estimator: str
    settings: Mapping[str, Any]
    path_coefficients: pd.DataFrame
    loadings: pd.DataFrame
    index: pd.DataFrame = field(default_factory=_empty)
    total_effects: pd.DataFrame = field(default_factory=_empty)
    indirect_effects: pd.DataFrame = field(default_factory=_empty)
    r_squared: pd.DataFrame = field(default_factory=_empty)
    reliability: pd.DataFrame = field(default_factory=_empty)
    htmt: pd.DataFrame = field(default_factory=_empty)
    fornell_larcker: pd.DataFrame = field(default_factory=_empty)
    cross_loadings: pd.DataFrame = field(default_factory=_empty)
    vif: pd.DataFrame = field(default_factory=_empty)
    f_squared: pd.DataFrame = field(default_factory=_empty)
    fit: pd.DataFrame = field(default_factory=_empty)
    impacts: pd.DataFrame = field(default_factory=_empty)
    importance_performance: pd.DataFrame = field(default_factory=_empty)
    construct_correlations: pd.DataFrame = field(default_factory=_empty)
    draws: pd.DataFrame = field(default_factory=_empty)
    left_out: pd.DataFrame = field(default_factory=_empty)
    audit: pd.DataFrame = field(default_factory=_empty)
    extra: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def names(self, language: str = "en") -> dict[str, str]:
        """Labels of constructs and interactions."""
        shown = [*self.model.construct_names, *self.path_coefficients["source"]]
        return {name: self.model.label(name, language) for name in shown}

    def chart_arguments(self, name: str, language: str = "en") -> dict[str, Any]:
        """What the figure function of a chart is called with."""
        labels, level = self.names(language), self.settings["level"]
        given: dict[str, dict[str, Any]] = {
            "index": {"index": self.index, "level": level, "highlight": "satisfaction"},
            "paths": {"path_coefficients": self.path_coefficients, "index": self.index,
                      "r_squared": self.r_squared, "level": level},
            "loadings": {"loadings": self.loadings},
            "htmt": {"htmt": self.htmt},
            "importance_performance": {"table": self.importance_performance},
        }  # fmt: skip
        # a path diagram has no words but the labels
        spoken = {} if name == "paths" else {"language": language}
        return {**given[name], **spoken, "labels": labels}
