/* Another module (the file that SHIM_MODULE names) with one defect: a derivation of long IVs crashes, or hangs, as SHIM says. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long CK_ULONG;

struct mechanism { CK_ULONG type; void *parameter; CK_ULONG length; };
struct key_material { CK_ULONG mac_bits, key_bits, iv_bits; };
typedef CK_ULONG (*derive_t)(CK_ULONG, struct mechanism *, CK_ULONG, void *, CK_ULONG, CK_ULONG *);

enum { C_DERIVE_KEY = 62, CKM_TLS12_KEY_AND_MAC_DERIVE = 0x3E1, LONG_IV = 64 };

static struct list { unsigned char major, minor; void *functions[68]; } *real, ours;

static CK_ULONG derive(CK_ULONG session, struct mechanism *mechanism, CK_ULONG base, void *template, CK_ULONG count, CK_ULONG *key)
{
    struct key_material *cut = mechanism->parameter;
    if (mechanism->type == CKM_TLS12_KEY_AND_MAC_DERIVE && cut->iv_bits > LONG_IV) {
        if (!strcmp(getenv("SHIM"), "crash")) abort();
        for (;;) pause();
    }
    return ((derive_t)real->functions[C_DERIVE_KEY])(session, mechanism, base, template, count, key);
}

CK_ULONG C_GetFunctionList(struct list **result)
{
    void *module = dlopen(getenv("SHIM_MODULE"), RTLD_NOW | RTLD_LOCAL);
    CK_ULONG (*get)(struct list **) = (CK_ULONG (*)(struct list **))dlsym(module, "C_GetFunctionList");
    CK_ULONG answer = get(&real);
    ours = *real;
    ours.functions[C_DERIVE_KEY] = derive;
    *result = &ours;
    return answer;
}
