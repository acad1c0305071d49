"""The function list: every function of PKCS#11 3.2 in the list's order, with the C types of its arguments.

A function list is a version and then an array of pointers; a name's place here is its place there. Functions that keyfence does
not call stand without arguments, for their place alone.
"""

from typing import Final

_ABBREVIATIONS: Final = {
    "u": "CK_ULONG",
    "u*": "CK_ULONG *",
    "b": "CK_BBOOL",
    "y": "CK_BYTE *",  # octets
    "m": "CK_MECHANISM *",
    "t": "CK_ATTRIBUTE *",  # a template, or an array of attributes
    "v": "void *",
}

# One line is a name and its arguments: u a CK_ULONG, y octets (most often followed by their length), m a mechanism …
_LIST: Final = """
C_Initialize v
C_Finalize v
C_GetInfo v
C_GetFunctionList
C_GetSlotList b u* u*
C_GetSlotInfo u v
C_GetTokenInfo u v
C_GetMechanismList u u* u*
C_GetMechanismInfo u u v
C_InitToken u y u y
C_InitPIN u y u
C_SetPIN u y u y u
C_OpenSession u u v v u*
C_CloseSession u
C_CloseAllSessions u
C_GetSessionInfo u v
C_GetOperationState u y u*
C_SetOperationState u y u u u
C_Login u u y u
C_Logout u
C_CreateObject u t u u*
C_CopyObject u u t u u*
C_DestroyObject u u
C_GetObjectSize u u u*
C_GetAttributeValue u u t u
C_SetAttributeValue u u t u
C_FindObjectsInit u t u
C_FindObjects u u* u u*
C_FindObjectsFinal u
C_EncryptInit u m u
C_Encrypt u y u y u*
C_EncryptUpdate u y u y u*
C_EncryptFinal u y u*
C_DecryptInit u m u
C_Decrypt u y u y u*
C_DecryptUpdate u y u y u*
C_DecryptFinal u y u*
C_DigestInit u m
C_Digest u y u y u*
C_DigestUpdate u y u
C_DigestKey u u
C_DigestFinal u y u*
C_SignInit u m u
C_Sign u y u y u*
C_SignUpdate u y u
C_SignFinal u y u*
C_SignRecoverInit u m u
C_SignRecover u y u y u*
C_VerifyInit u m u
C_Verify u y u y u
C_VerifyUpdate u y u
C_VerifyFinal u y u
C_VerifyRecoverInit u m u
C_VerifyRecover u y u y u*
C_DigestEncryptUpdate u y u y u*
C_DecryptDigestUpdate u y u y u*
C_SignEncryptUpdate u y u y u*
C_DecryptVerifyUpdate u y u y u*
C_GenerateKey u m t u u*
C_GenerateKeyPair u m t u t u u* u*
C_WrapKey u m u u y u*
C_UnwrapKey u m u y u t u u*
C_DeriveKey u m u t u u*
C_SeedRandom u y u
C_GenerateRandom u y u
C_GetFunctionStatus
C_CancelFunction
C_WaitForSlotEvent
C_GetInterfaceList
C_GetInterface
C_LoginUser
C_SessionCancel u u
C_MessageEncryptInit u m u
C_EncryptMessage u v u y u y u y u*
C_EncryptMessageBegin
C_EncryptMessageNext
C_MessageEncryptFinal u
C_MessageDecryptInit u m u
C_DecryptMessage u v u y u y u y u*
C_DecryptMessageBegin
C_DecryptMessageNext
C_MessageDecryptFinal u
C_MessageSignInit u m u
C_SignMessage u v u y u y u*
C_SignMessageBegin
C_SignMessageNext
C_MessageSignFinal u
C_MessageVerifyInit u m u
C_VerifyMessage u v u y u y u
C_VerifyMessageBegin
C_VerifyMessageNext
C_MessageVerifyFinal u
C_EncapsulateKey u m u t u y u* u*
C_DecapsulateKey u m u t u y u u*
"""

_ROWS: Final = tuple(line.split() for line in _LIST.split("\n") if line)

POSITIONS: Final = {row[0]: position for position, row in enumerate(_ROWS)}

PROTOTYPES: Final = {row[0]: f"CK_ULONG (*)({', '.join(_ABBREVIATIONS[a] for a in row[1:])})" for row in _ROWS if row[1:]}


def length_of_list(version: tuple[int, int]) -> int:
    """How many of the functions above a list of this version holds: no pointer may be read beyond it."""
    if version < (3, 0):
        return POSITIONS["C_WaitForSlotEvent"] + 1
    if version < (3, 2):
        return POSITIONS["C_MessageVerifyFinal"] + 1
    return len(_ROWS)
