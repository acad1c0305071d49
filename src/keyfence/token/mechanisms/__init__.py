"""What the token can do: every mechanism as a row of a table; what is in no table does not exist."""
