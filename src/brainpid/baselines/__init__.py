"""Baselines that brain-age researchers trust, through the interface of every other model.

scikit-learn's own regressors see the same rows, the same features and the same inner folds as the network, and choose
their settings, and whether the target is ranked, inside the training rows. Each is fitted to every subset of the
modalities; a person is predicted from the modalities that the person has.
"""
