"""Key search: what a module's weak keys give away, found at the hardware's limit.

des    DES keys from known plaintext, any set of bits unknown, bitsliced
"""
