"""The guard's methods, a class per family of PKCS#11 functions."""
