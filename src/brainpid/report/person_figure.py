"""How what predictions tell of single people spreads over them."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from brainpid.report.figures import COLOURS, STYLE


def persons(table: pd.DataFrame, model: str, names: Sequence[str], units: str) -> Figure:
    """Distribution over people of what each modality tells of them, and of the difference of predicted and true target.

    Parameters
    ----------
    table : DataFrame
        ``aggregate/person.tsv``.
    model : str
    names : sequence of str
        Modalities.
    units : str
        Unit of the target.
    """
    rows = table[table["model"] == model]
    bits = {"all at hand": "information"} | {f"{m} alone": f"information_alone_{m}" for m in names}
    bits |= {f"added by {m}": f"information_added_{m}" for m in names}
    pads = {"all at hand": "brain_pad"} | {f"{m} alone": f"brain_pad_{m}" for m in names}
    pads |= {"in common": "brain_pad_common"} | {f"{m}'s own": f"brain_pad_specific_{m}" for m in names}
    panels = [("information in the prediction (bits)", bits), (f"predicted - true ({units})", pads)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.0, 0.36 * (2 * len(names) + 2) + 1.6), layout="constrained")
        for ax, (label, shown) in zip(figure.subplots(1, 2), panels, strict=True):
            known = {words: rows[column].dropna().to_numpy() for words, column in shown.items()}
            known = {words: values for words, values in known.items() if len(values)}
            parts = ax.boxplot(
                list(known.values()), orientation="horizontal", widths=0.6, whis=(5, 95), patch_artist=True,
                flierprops={"marker": ".", "markersize": 3, "alpha": 0.4}, medianprops={"color": "#333333"},
            )  # fmt: skip
            for box in parts["boxes"]:
                box.set(facecolor=COLOURS[4], edgecolor="#333333")
            ax.set_yticks(range(1, len(known) + 1), list(known))
            ax.invert_yaxis()
            ax.axvline(0, color="#333333", linewidth=0.8)
            ax.set_xlabel(label)
            ax.grid(axis="y", visible=False)
    return figure
