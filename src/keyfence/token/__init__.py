"""The software token: both key schedules behind a Cryptoki."""
