"""What the token computes, as pure functions on bytes: no state, no handles, no policy.

Every function names the C function it answers for (`function="C_Encrypt"`), so that a refusal reads as PKCS#11 says it.
"""
