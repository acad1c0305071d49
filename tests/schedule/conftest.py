"""Hypothesis without deadlines: examples that start `openssl` take as long as the machine lets them."""

from hypothesis import settings

settings.register_profile("schedule", deadline=None)
settings.load_profile("schedule")
