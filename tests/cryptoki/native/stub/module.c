/* A PKCS#11 module for the tests: it has no cryptography, but it tells what it was given and misbehaves on request.

   Whatever a call receives in structures is written as text to `told`, which C_GetOperationState returns: the tests read what
   C saw.

   -DINTERFACE=major,minor   export C_GetInterfaceList with a list of that version among others
   -DDEFAULT=major,minor     export C_GetInterface, which gives that version and crashes when asked for any
   -DREFUSES_ARGUMENTS       C_Initialize answers CKR_CANT_LOCK to anything but NULL
   -DNO_LIST                 C_GetFunctionList fails */

#include "parameters.h"

static ulong C_Initialize(void *arguments) {
    struct { void *mutexes[4]; ulong flags; char *parameters; } *p = arguments;
    told[0] = 0;
#ifdef REFUSES_ARGUMENTS
    if (p) return CANT_LOCK;
#endif
    if (!p) say("NULL");
    else say("flags=%lu parameters=%s", p->flags, p->flags ? "-" : p->parameters);
    return ALREADY_INITIALIZED;
}

static ulong C_GetInfo(void *info) {
    struct { version cryptoki; byte manufacturer[32]; ulong flags; byte description[32]; version library; } *p = info;
    p->cryptoki = (version){2, 40}, p->library = (version){7, 9}, p->flags = 0;
    memcpy(p->manufacturer, "padded with blanks              ", 32);
    memset(p->description, 0, 32);
    memcpy(p->description, "NULs and \xFF", 10);
    return OK;
}

/* A token is plugged in between the question and the answer. */
static ulong C_GetSlotList(byte present, ulong *slots, ulong *count) {
    static ulong known = 1;
    if (!slots) { *count = known++; return OK; }
    ulong room = *count;
    *count = known;
    if (room < known) return BUFFER_TOO_SMALL;
    for (ulong i = 0; i < known; i++) slots[i] = 100 * present + i;
    return OK;
}

static ulong C_Login(ulong session, ulong user, byte *pin, ulong length) {
    (void)session;
    told[0] = 0;
    say("user=%lu ", user);
    say_bytes("pin", pin, length);
    return length == 5 ? 0xA0 : OK;
}

static ulong C_GetOperationState(ulong session, byte *state, ulong *length) {
    (void)session;
    ulong room = *length;
    *length = strlen(told);
    if (!state) return OK;
    if (room < *length) return BUFFER_TOO_SMALL;
    memcpy(state, told, *length);
    return OK;
}

static ulong C_CreateObject(ulong session, attribute *template, ulong count, ulong *handle) {
    (void)session;
    told[0] = 0;
    say_template(template, count);
    *handle = 77;
    return OK;
}

static ulong give(attribute *a, const void *value, ulong length) {
    ulong room = a->length;
    a->length = length;
    if (!a->value) return OK;
    if (room < length) return BUFFER_TOO_SMALL;
    memcpy(a->value, value, length);
    return OK;
}

static ulong read_attribute(attribute *a) {
    static const ulong class = 4, mechanisms[] = {0x1082, 0x1087};
    static const byte yes = 1;
    switch (a->type) {
    case 0x000: return give(a, &class, sizeof class);
    case 0x001: return give(a, &yes, 1);
    case 0x003: return give(a, "sch\xC3\xB6n", 6);
    case 0x100: return give(a, "odd", 3); /* no CK_ULONG */
    case 0x110: return give(a, "20260102", 8);
    case 0x111: return give(a, "", 0);
    case 0x40000600UL: return give(a, mechanisms, sizeof mechanisms);
    case 0x80000042UL: return give(a, "vendor", 6);
    case 0x40000211UL:
        if (!a->value) { a->length = 2 * sizeof(attribute); return OK; }
        attribute *inner = a->value;
        inner[0].type = 0x001, inner[1].type = 0x003;
        return read_attribute(inner) | read_attribute(inner + 1);
    case 0x102: a->length = ~0UL; return OK; /* unavailable, but no error */
    case 0x011: a->length = ~0UL; return ATTRIBUTE_SENSITIVE;
    default: a->length = ~0UL; return ATTRIBUTE_TYPE_INVALID;
    }
}

static ulong C_GetAttributeValue(ulong session, ulong object, attribute *template, ulong count) {
    (void)session, (void)object;
    ulong answer = OK;
    for (ulong i = 0; i < count; i++) {
        ulong one = read_attribute(template + i);
        if (one) answer = one;
    }
    return answer;
}

static ulong C_EncryptInit(ulong session, mechanism *m, ulong key) {
    (void)session, (void)key;
    return read_mechanism(m);
}

/* Needs far more room than anybody expects, and says so. */
static ulong C_Encrypt(ulong session, byte *data, ulong length, byte *output, ulong *output_length) {
    (void)session;
    ulong room = *output_length;
    *output_length = length + 100000;
    if (room < *output_length) return BUFFER_TOO_SMALL;
    memset(output, 0xEE, *output_length);
    memcpy(output, data, length);
    return OK;
}

/* One signature per operation: a second is refused. The first byte counts all that were ever made. */
static ulong signing;
static ulong C_SignInit(ulong session, mechanism *m, ulong key) {
    (void)session, (void)key;
    ulong answer = read_mechanism(m);
    signing = answer == OK;
    return answer;
}

static ulong C_Sign(ulong session, byte *data, ulong length, byte *signature, ulong *signature_length) {
    static byte made;
    (void)session, (void)data, (void)length;
    if (!signing) return OPERATION_NOT_INITIALIZED;
    if (!signature || *signature_length < 3) { *signature_length = 3; return signature ? BUFFER_TOO_SMALL : OK; }
    signing = 0, *signature_length = 3;
    memcpy(signature, (byte[]){++made, 0, 0}, 3);
    return OK;
}

/* Claims more than the buffer it was given. */
static ulong C_DigestFinal(ulong session, byte *digest, ulong *length) {
    (void)session, (void)digest;
    *length += 1;
    return OK;
}

static ulong C_Verify(ulong session, byte *data, ulong length, byte *signature, ulong signature_length) {
    (void)session;
    return length == signature_length && !memcmp(data, signature, length) ? OK : SIGNATURE_INVALID;
}

static ulong C_WrapKey(ulong session, mechanism *m, ulong with, ulong key, byte *wrapped, ulong *length) {
    (void)session;
    if (read_mechanism(m)) return MECHANISM_INVALID;
    *length = 2;
    memcpy(wrapped, (byte[]){(byte)with, (byte)key}, 2);
    return OK;
}

static ulong C_DeriveKey(ulong session, mechanism *m, ulong base, attribute *template, ulong count, ulong *handle) {
    (void)session;
    ulong answer = read_mechanism(m);
    say("| base=%lu key=%s | ", base, handle ? "pointer" : "NULL");
    say_template(template, count);
    if (handle) *handle = 99;
    return answer;
}

static ulong C_EncryptMessage(ulong session, void *parameter, ulong parameter_length, byte *aad, ulong aad_length, byte *plain,
                              ulong plain_length, byte *cipher, ulong *cipher_length) {
    struct { byte *iv; ulong iv_length, fixed_bits, generator; byte *tag; ulong tag_bits; } *p = parameter;
    (void)session;
    told[0] = 0;
    if (parameter_length != sizeof *p) return ARGUMENTS_BAD;
    Y(iv, iv_length); U(fixed_bits); U(generator); U(tag_bits);
    say_bytes("aad", aad, aad_length);
    memset(p->tag, 0x77, p->tag_bits / 8);
    memcpy(cipher, plain, *cipher_length = plain_length);
    return OK;
}

static ulong C_DecryptMessage(ulong session, void *parameter, ulong parameter_length, byte *aad, ulong aad_length, byte *cipher,
                              ulong cipher_length, byte *plain, ulong *plain_length) {
    struct { ulong data_length; byte *nonce; ulong nonce_length, fixed_bits, generator; byte *mac; ulong mac_length; }
        *p = parameter;
    (void)session;
    told[0] = 0;
    if (parameter_length != sizeof *p) return ARGUMENTS_BAD;
    U(data_length); Y(nonce, nonce_length); Y(mac, mac_length);
    say_bytes("aad", aad, aad_length);
    memcpy(plain, cipher, *plain_length = cipher_length);
    return OK;
}

static ulong C_EncapsulateKey(ulong session, mechanism *m, ulong key, attribute *template, ulong count, byte *cipher,
                              ulong *length, ulong *handle) {
    (void)session;
    read_mechanism(m);
    say("| key=%lu | ", key);
    say_template(template, count);
    *handle = 55, *length = 4;
    memcpy(cipher, "caps", 4);
    return OK;
}

static ulong C_DecapsulateKey(ulong session, mechanism *m, ulong key, attribute *template, ulong count, byte *cipher,
                              ulong length, ulong *handle) {
    (void)session;
    read_mechanism(m);
    say("| key=%lu | ", key);
    say_template(template, count);
    say_bytes("| cipher", cipher, length);
    *handle = 56;
    return OK;
}

/* The function list in the standard's order (PKCS#11 3.2 section 3.6); a function with no body here is a NULL pointer. */

typedef struct {
    version version;
    void *Initialize, *Finalize, *GetInfo, *GetFunctionList, *GetSlotList, *GetSlotInfo, *GetTokenInfo,
        *GetMechanismList, *GetMechanismInfo, *InitToken, *InitPIN, *SetPIN, *OpenSession, *CloseSession,
        *CloseAllSessions, *GetSessionInfo, *GetOperationState, *SetOperationState, *Login, *Logout, *CreateObject,
        *CopyObject, *DestroyObject, *GetObjectSize, *GetAttributeValue, *SetAttributeValue, *FindObjectsInit,
        *FindObjects, *FindObjectsFinal, *EncryptInit, *Encrypt, *EncryptUpdate, *EncryptFinal, *DecryptInit,
        *Decrypt, *DecryptUpdate, *DecryptFinal, *DigestInit, *Digest, *DigestUpdate, *DigestKey, *DigestFinal,
        *SignInit, *Sign, *SignUpdate, *SignFinal, *SignRecoverInit, *SignRecover, *VerifyInit, *Verify,
        *VerifyUpdate, *VerifyFinal, *VerifyRecoverInit, *VerifyRecover, *DigestEncryptUpdate, *DecryptDigestUpdate,
        *SignEncryptUpdate, *DecryptVerifyUpdate, *GenerateKey, *GenerateKeyPair, *WrapKey, *UnwrapKey, *DeriveKey,
        *SeedRandom, *GenerateRandom, *GetFunctionStatus, *CancelFunction, *WaitForSlotEvent;
    /* 3.0 */
    void *GetInterfaceList, *GetInterface, *LoginUser, *SessionCancel, *MessageEncryptInit, *EncryptMessage,
        *EncryptMessageBegin, *EncryptMessageNext, *MessageEncryptFinal, *MessageDecryptInit, *DecryptMessage,
        *DecryptMessageBegin, *DecryptMessageNext, *MessageDecryptFinal, *MessageSignInit, *SignMessage,
        *SignMessageBegin, *SignMessageNext, *MessageSignFinal, *MessageVerifyInit, *VerifyMessage,
        *VerifyMessageBegin, *VerifyMessageNext, *MessageVerifyFinal;
    /* 3.2 */
    void *EncapsulateKey, *DecapsulateKey;
} function_list;

static function_list LIST = {
    .version = {2, 40}, .Initialize = C_Initialize, .GetInfo = C_GetInfo, .GetSlotList = C_GetSlotList, .Login = C_Login,
    .GetOperationState = C_GetOperationState, .CreateObject = C_CreateObject, .GetAttributeValue = C_GetAttributeValue,
    .EncryptInit = C_EncryptInit, .Encrypt = C_Encrypt, .DigestFinal = C_DigestFinal, .SignInit = C_SignInit, .Sign = C_Sign,
    .Verify = C_Verify, .WrapKey = C_WrapKey, .DeriveKey = C_DeriveKey, .EncryptMessage = C_EncryptMessage,
    .DecryptMessage = C_DecryptMessage, .EncapsulateKey = C_EncapsulateKey, .DecapsulateKey = C_DecapsulateKey,
};

ulong C_GetFunctionList(function_list **list) {
#ifdef NO_LIST
    return GENERAL_ERROR;
#endif
    *list = &LIST;
    return OK;
}

typedef struct { char *name; void *list; ulong flags; } interface;

#ifdef INTERFACE
ulong C_GetInterfaceList(interface *interfaces, ulong *count) {
    static function_list newer;
    static int unrelated[] = {0x0909, 0};
    const interface offered[] = {{"Vendor", unrelated, 0}, {"PKCS 11", &LIST, 0}, {"PKCS 11", &newer, 0}, {"PKCS 11", 0, 0}};
    newer = LIST, newer.version = (version){INTERFACE};
    ulong room = *count;
    *count = sizeof offered / sizeof *offered;
    if (!interfaces) return OK;
    if (room < *count) return BUFFER_TOO_SMALL;
    memcpy(interfaces, offered, sizeof offered);
    return OK;
}
#endif

#ifdef DEFAULT
ulong C_GetInterface(char *name, version *wanted, interface **found, ulong flags) {
    static interface only = {"PKCS 11", &LIST, 0};
    if (wanted) *(volatile int *)0 = 1;
    if (strcmp(name, only.name) || flags) return ARGUMENTS_BAD;
    LIST.version = (version){DEFAULT};
    *found = &only;
    return OK;
}
#endif
