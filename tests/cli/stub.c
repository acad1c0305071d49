/* A PKCS#11 2.40 module that only gets as far as being opened. The environment variable STUB says what is wrong with it:
 *
 *     crash hang         C_Initialize does not come back
 *     no-token           the slot is empty
 *     locked final-try   the token's flags speak of the user PIN
 *     wrong-pin          C_Login refuses
 *
 * Every C_Login adds a letter to the file that STUB_LOGINS names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long CK_ULONG;

enum { OK = 0, PIN_INCORRECT = 0xA0, FUNCTION_NOT_SUPPORTED = 0x54 };
enum { LOGIN_REQUIRED = 0x4, USER_PIN_INITIALIZED = 0x8, TOKEN_INITIALIZED = 0x400, FINAL_TRY = 0x20000, LOCKED = 0x40000 };

struct version { unsigned char major, minor; };
struct info { struct version cryptoki; char manufacturer[32]; CK_ULONG flags; char description[32]; struct version library; };
struct slot_info { char description[64], manufacturer[32]; CK_ULONG flags; struct version hardware, firmware; };
struct token_info {
    char label[32], manufacturer[32], model[16], serial[16];
    CK_ULONG flags, counts[10];
    struct version hardware, firmware;
    char time[16];
};

static int is(const char *fault) { const char *stub = getenv("STUB"); return stub && !strcmp(stub, fault); }

static void pad(char *field, int size, const char *text)
{
    memset(field, ' ', size);
    memcpy(field, text, strlen(text));
}

static CK_ULONG initialize(void *arguments)
{
    (void)arguments;
    if (is("crash")) abort();
    while (is("hang")) pause();
    return OK;
}

static CK_ULONG get_info(struct info *info)
{
    memset(info, 0, sizeof *info);
    info->cryptoki.major = 2;
    info->cryptoki.minor = 40;
    pad(info->manufacturer, 32, "keyfence tests");
    pad(info->description, 32, "stub");
    return OK;
}

static CK_ULONG get_slot_list(unsigned char present, CK_ULONG *slots, CK_ULONG *count)
{
    CK_ULONG slots_there = !(present && is("no-token"));
    if (slots && slots_there) *slots = 0;
    *count = slots_there;
    return OK;
}

static CK_ULONG get_slot_info(CK_ULONG slot, struct slot_info *info)
{
    (void)slot;
    memset(info, 0, sizeof *info);
    pad(info->description, 64, "");
    pad(info->manufacturer, 32, "");
    info->flags = 1;
    return OK;
}

static CK_ULONG get_token_info(CK_ULONG slot, struct token_info *info)
{
    (void)slot;
    memset(info, 0, sizeof *info);
    pad(info->label, 32, "stub");
    info->flags = LOGIN_REQUIRED | USER_PIN_INITIALIZED | TOKEN_INITIALIZED;
    info->flags |= is("locked") ? LOCKED : 0;
    info->flags |= is("final-try") ? FINAL_TRY : 0;
    return OK;
}

static CK_ULONG open_session(CK_ULONG slot, CK_ULONG flags, void *application, void *notify, CK_ULONG *session)
{
    (void)slot, (void)flags, (void)application, (void)notify;
    *session = 1;
    return OK;
}

static CK_ULONG login(CK_ULONG session, CK_ULONG user, const char *pin, CK_ULONG length)
{
    (void)session, (void)user, (void)pin, (void)length;
    FILE *log = fopen(getenv("STUB_LOGINS"), "a");
    fputs("L", log);
    fclose(log);
    return PIN_INCORRECT;
}

static CK_ULONG succeed(void) { return OK; }

static CK_ULONG unsupported(void) { return FUNCTION_NOT_SUPPORTED; }

typedef CK_ULONG (*function)(void);

static struct { struct version version; function functions[68]; } list;

/* Positions in CK_FUNCTION_LIST, as pkcs11f.h orders them. */
CK_ULONG C_GetFunctionList(void **result)
{
    for (int position = 0; position < 68; position++) list.functions[position] = unsupported;
    list.version.major = 2;
    list.version.minor = 40;
    list.functions[0] = (function)initialize;
    list.functions[1] = succeed; /* C_Finalize */
    list.functions[2] = (function)get_info;
    list.functions[4] = (function)get_slot_list;
    list.functions[5] = (function)get_slot_info;
    list.functions[6] = (function)get_token_info;
    list.functions[12] = (function)open_session;
    list.functions[13] = succeed; /* C_CloseSession */
    list.functions[18] = (function)login;
    *result = &list;
    return OK;
}
