"""Regressors of scikit-learn behind the interface that every model has."""
