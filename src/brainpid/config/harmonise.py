"""Section of the configuration about site effects that are taken from features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from brainpid.config.analysis import Scheme
from brainpid.config.section import Section

Unseen = Literal["none", "own", "error"]


class Harmonise(Section):
    """Site effects that are estimated on training people and taken from features (ComBat)."""

    method: Literal["none", "location", "location_scale"] = Field(
        "none",
        description="`none` leaves features as they are. `location` takes away what each site adds to a feature, "
        "`location_scale` also makes spreads equal. Both are fitted to the training people of a fold, and no age of a "
        "tested person is looked at. The report prints what it costs",
    )
    covariates: tuple[Literal["sex"], ...] = Field(
        ("sex",), max_length=1, description="what of a person is known besides and is no effect of the site"
    )
    preserve: Literal["age", "none"] = Field(
        "age",
        description="`age` fits a smooth course of the target, so that sites of other ages keep what age brings; "
        "`none` takes away all that sites differ by, age with it",
    )
    unseen: Unseen = Field(
        "none",
        description="people of a site that training has not seen: `none` leaves their features as they are, `own` "
        "takes the effect of the site from their own features (5 people or more), `error` refuses them",
    )

    @property
    def words(self) -> str:
        """What is done to features, for the comparison of runs."""
        kept = [f"{self.preserve} preserved"] * (self.preserve != "none") + list(self.covariates)
        return ", ".join([self.method.replace("_", " and "), *kept]) if self.used else "none"

    @property
    def used(self) -> bool:
        """Whether features are changed."""
        return self.method != "none"

    def against(self, schemes: Sequence[Scheme], shared: bool) -> str:
        """Why these settings do not go with the rest of the configuration; empty where they do.

        Parameters
        ----------
        schemes : sequence of str
            Of the splits.
        shared : bool
            Whether the final model is to be passed on.
        """
        if not self.used:
            return ""
        left = [scheme for scheme in schemes if scheme != "kfold"]
        if self.unseen == "error" and left:
            return f"harmonise.unseen: 'error' refuses everybody whom {left[0]} tests; expected none or own"
        if shared:
            return (
                "harmonise.method: what a small site adds tells of single people, so that the final model cannot be "
                "shared (final_model.share)"
            )
        return ""
