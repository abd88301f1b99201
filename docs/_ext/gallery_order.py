"""Examples of the gallery in the order in which a reader needs them."""

from __future__ import annotations

ORDER = (
    "any_table", "two_measures", "power", "own_modality", "own_model", "own_extractor", "read_results", "new_scan",
    "families", "which_scan",
)  # fmt: skip


class InOrder:
    """Sorts examples of a folder; one that is not in `ORDER` is an error."""

    def __init__(self, src_dir: str) -> None:
        self.src_dir = src_dir

    def __call__(self, filename: str) -> int:
        """Place of an example."""
        return ORDER.index(str(filename).removeprefix("plot_").removesuffix(".py"))
