"""The token's two key schedules, as what each lets happen."""
