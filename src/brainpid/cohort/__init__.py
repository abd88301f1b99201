"""Cohorts on disk: participants, their folds, and the files of each person."""
