"""The configuration: one declaration of each setting, and the slice of it that each verb receives."""
