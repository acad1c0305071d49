/* A PKCS#11 2.40 module of a few functions, each of which does to its process what a broken module does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long CK_RV;
#define CKR_OK 0UL
#define CKR_OBJECT_HANDLE_INVALID 0x82UL
#define CKR_FUNCTION_NOT_SUPPORTED 0x54UL

static CK_RV unsupported(void) { return CKR_FUNCTION_NOT_SUPPORTED; }

static CK_RV succeed(void) { return CKR_OK; }

static CK_RV segfault(void) { *(volatile int *)8 = 1; return CKR_OK; }

static CK_RV hang(void) { for (;;) pause(); }

static CK_RV leave(void) { exit(3); }

static CK_RV give_up(void) { abort(); }

static CK_RV refuse_loudly(void)
{
    puts("noise on standard output");
    fflush(stdout);
    fputs("noise on standard error\n", stderr);
    return CKR_OBJECT_HANDLE_INVALID;
}

static CK_RV random_bytes(unsigned long session, unsigned char *data, unsigned long length)
{
    (void)session;
    memset(data, 0x5a, length);
    return CKR_OK;
}

static struct {
    unsigned char major, minor;
    CK_RV (*functions[68])();
} list;

/* Positions in CK_FUNCTION_LIST, as pkcs11f.h orders them. */
CK_RV C_GetFunctionList(void **result)
{
    for (int position = 0; position < 68; position++)
        list.functions[position] = unsupported;
    list.major = 2;
    list.minor = 40;
    list.functions[0] = list.functions[1] = succeed; /* C_Initialize, C_Finalize */
    list.functions[13] = give_up;                    /* C_CloseSession */
    list.functions[19] = hang;                       /* C_Logout */
    list.functions[22] = refuse_loudly;              /* C_DestroyObject */
    list.functions[62] = segfault;                   /* C_DeriveKey */
    list.functions[63] = leave;                      /* C_SeedRandom */
    list.functions[64] = random_bytes;               /* C_GenerateRandom */
    *result = &list;
    return CKR_OK;
}
