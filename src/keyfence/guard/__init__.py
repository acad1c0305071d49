"""The guard: a `Cryptoki` around any other, that lets secrets of TLS do what a policy lists and nothing else."""
