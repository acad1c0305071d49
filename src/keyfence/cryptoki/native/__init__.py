"""PKCS#11 modules in C, through cffi without a compiler: the one place where C structures are made and read."""

from .module import NativeModule

__all__ = ["NativeModule"]
