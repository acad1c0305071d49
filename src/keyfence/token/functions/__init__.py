"""The token's functions, a class per section of PKCS#11 3.2 chapter 5; methods are named as `Cryptoki`'s."""
