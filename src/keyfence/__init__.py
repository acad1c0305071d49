"""keyfence finds, proves and closes TLS key leaks in PKCS#11 modules."""

__version__ = "0.1.0"
__all__ = ["__version__"]
