"""The specification curve: sorted estimates above, the choices behind each below."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cvlib.figures.style import INK, PALETTE, house_style, new_figure, short, words

CHOICES = ("estimator", "model", "missing", "scale", "source_items", "target_items", "controls")
_REACH = 1.96


def specification_curve_chart(
    table: pd.DataFrame,
    labels: Mapping[str, str] | None = None,
    *,
    source: str = "",
    target: str = "",
    language: str = "en",
) -> Figure:
    """Estimates of all specifications in rising order with intervals, and what each one chose.

    Parameters
    ----------
    table : DataFrame
        estimate, std_error, significant and the choices, in rising order of the estimate.
    labels : mapping, optional
        Construct name to the label shown.
    source, target : str
        Ends of the effect.
    language : str
        Of the words on the figure.
    """
    text, known = words("further", language), labels or {}
    rows: list[tuple[str, str, np.ndarray]] = []
    for choice in CHOICES:
        used = table[choice].to_numpy()
        if choice == "controls":
            parts = sorted({one for cell in used for one in cell.split(" + ")} - {"(none)"})
            if parts:
                rows += [(choice, one, np.array([one in cell.split(" + ") for cell in used]))
                         for one in parts]  # fmt: skip
            continue
        options = [one for one in dict.fromkeys(sorted(used, key=lambda c: (c != "(all)", c)))
                   if one]  # fmt: skip
        if len(options) > 1:
            rows += [(choice, one, used == one) for one in options]
    sides = {"source": known.get(source, source), "target": known.get(target, target)}
    at = np.arange(1, len(table) + 1)
    estimate = table["estimate"].to_numpy(float)
    reach = _REACH * table["std_error"].to_numpy(float)
    clear = table["significant"].to_numpy(bool)
    with house_style():
        height = 2.6 + 0.19 * len(rows)
        figure, (upper, lower) = new_figure(
            7.6, height, 2, 1, sharex=True, height_ratios=(2.3, max(0.19 * len(rows), 0.3))
        )
        upper.axhline(0, color=INK, lw=0.8)
        upper.vlines(at, estimate - reach, estimate + reach, color="#C9D6E2", lw=1)
        for chosen, colour, name in ((clear, PALETTE[0], "significant"),
                                     (~clear, PALETTE[1], "not_significant")):  # fmt: skip
            if chosen.any():
                upper.scatter(
                    at[chosen],
                    estimate[chosen],
                    s=9,
                    color=colour,
                    zorder=3,
                    label=text[name],
                    marker="o" if name == "significant" else "s",
                )
        # intervals that say nothing would squeeze all others: they are cut
        ends = np.quantile(estimate - reach, 0.05), np.quantile(estimate + reach, 0.95)
        low, high = min(ends[0], estimate.min(), 0.0), max(ends[1], estimate.max(), 0.0)
        room = 0.05 * (high - low)
        upper.set_ylim(low - room, high + room)
        upper.set_ylabel(text["estimate"])
        upper.legend(loc="upper left")
        names, last = [], ""
        for number, (choice, option, chosen) in enumerate(rows):
            lower.plot(at[chosen], np.full(chosen.sum(), -number), "|", color=INK, ms=5)
            head = text[f"choice_{choice}"].format(**sides) if choice != last else ""
            shown = {"(all)": text["all"], "(none)": text["none"]}.get(
                option, text.get(option, known.get(option, option)))  # fmt: skip
            names.append(f"{head}: {short(shown)}" if head else short(shown))
            last = choice
        lower.set(yticks=-np.arange(len(rows)), yticklabels=names, ylim=(-len(rows) + 0.4, 0.6))
        lower.tick_params(axis="y", length=0, labelsize=7.5)
        lower.grid(visible=False)
        lower.set_xlabel(text["specification"])
    return figure
