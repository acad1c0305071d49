/* Mechanism parameters as C sees them: each is told as text, field by field, and its results are written.

   The structures are declared here once more, by the standard's text, so that a mistake in keyfence's own shows. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef unsigned char byte;
typedef unsigned long ulong;

enum {
    OK = 0, SLOT_ID_INVALID = 3, GENERAL_ERROR = 5, ARGUMENTS_BAD = 7, CANT_LOCK = 0x0A, ATTRIBUTE_SENSITIVE = 0x11,
    ATTRIBUTE_TYPE_INVALID = 0x12, MECHANISM_INVALID = 0x70, OPERATION_NOT_INITIALIZED = 0x91, SIGNATURE_INVALID = 0xC0,
    BUFFER_TOO_SMALL = 0x150, ALREADY_INITIALIZED = 0x191,
};

typedef struct { byte major, minor; } version;
typedef struct { ulong type; void *value; ulong length; } attribute;
typedef struct { ulong type; void *parameter; ulong length; } mechanism;

static char told[1 << 16];

static void say(const char *format, ...) {
    size_t used = strlen(told);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(told + used, sizeof told - used, format, arguments);
    va_end(arguments);
}

static void say_bytes(const char *name, const byte *data, ulong length) {
    say("%s=", name);
    if (!data) say("NULL");
    for (ulong i = 0; data && i < length; i++) say("%02x", data[i]);
    say("/%lu ", length);
}

static void say_template(const attribute *template, ulong count) {
    for (ulong i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%lx", template[i].type);
        if (template[i].type == 0x40000211UL) {
            say("%s={ ", name);
            say_template(template[i].value, template[i].length / sizeof(attribute));
            say("} ");
        } else say_bytes(name, template[i].value, template[i].length);
    }
}

#define U(field) say(#field "=%lu ", (ulong)p->field)
#define Y(field, size) say_bytes(#field, p->field, p->size)
#define FIXED(field) say_bytes(#field, p->field, sizeof p->field)
#define SIZE() say("size=%s ", m->length == sizeof *p ? "right" : "WRONG")

/* The standard's structures, field by field. */

typedef struct { byte *client; ulong client_length; byte *server; ulong server_length; } randoms;
typedef struct { ulong client_mac, server_mac, client_key, server_key; byte *client_iv, *server_iv; } key_mat_out;
typedef struct { ulong mac, key; byte *iv; } wtls_key_mat_out;
typedef struct { ulong type; void *value; ulong length; } prf_data;
typedef struct { attribute *template; ulong count; ulong *key; } derived_key;

#define RANDOMS() Y(randoms.client, randoms.client_length); Y(randoms.server, randoms.server_length)

static ulong write_version(version *v) {
    say("version=%s ", v ? "pointer" : "NULL");
    if (v) *v = (version){3, 3};
    return OK;
}

static ulong ssl3_master(const mechanism *m) {
    struct { randoms randoms; version *version; } *p = m->parameter;
    SIZE(); RANDOMS();
    return write_version(p->version);
}

static ulong tls12_master(const mechanism *m) {
    struct { randoms randoms; version *version; ulong prf; } *p = m->parameter;
    SIZE(); RANDOMS(); U(prf);
    say("version=%s ", p->version ? "pointer" : "NULL"); /* left untouched */
    return OK;
}

static ulong extended_master(const mechanism *m) {
    struct { ulong prf; byte *hash; ulong hash_length; version *version; } *p = m->parameter;
    SIZE(); U(prf); Y(hash, hash_length);
    return write_version(p->version);
}

static ulong wtls_master(const mechanism *m) {
    struct { ulong digest; randoms randoms; byte *version; } *p = m->parameter;
    SIZE(); U(digest); RANDOMS();
    if (p->version) *p->version = 1;
    return OK;
}

/* Writes one byte of the client's IV and none of the server's, and gives both MAC keys and one write key. */
static ulong ssl3_key_mat(const mechanism *m) {
    struct { ulong mac, key, iv; byte is_export; randoms randoms; key_mat_out *out; } *p = m->parameter;
    SIZE(); U(mac); U(key); U(iv); U(is_export); RANDOMS();
    p->out->client_mac = 11, p->out->server_mac = 12, p->out->client_key = 13;
    if (p->out->client_iv) p->out->client_iv[0] ^= 0xFF;
    return OK;
}

static ulong tls12_key_mat(const mechanism *m) {
    struct { ulong mac, key, iv; byte is_export; randoms randoms; key_mat_out *out; ulong prf; } *p = m->parameter;
    SIZE(); U(mac); U(key); U(iv); U(is_export); RANDOMS(); U(prf);
    *p->out = (key_mat_out){21, 22, 23, 24, p->out->client_iv, p->out->server_iv};
    say("ivs=%s ", p->out->client_iv || p->out->server_iv ? "pointers" : "NULL");
    for (ulong i = 0; p->out->client_iv && i < (p->iv + 7) / 8; i++) p->out->client_iv[i] = 0xC0, p->out->server_iv[i] = 0x50;
    return OK;
}

static ulong wtls_key_mat(const mechanism *m) {
    struct { ulong digest, mac, key, iv, sequence; byte is_export; randoms randoms; wtls_key_mat_out *out; } *p = m->parameter;
    SIZE(); U(digest); U(mac); U(key); U(iv); U(sequence); U(is_export); RANDOMS();
    p->out->mac = 31, p->out->key = 32;
    memset(p->out->iv, 0xC5, p->iv / 8);
    return OK;
}

/* Gives four bytes fewer than it was asked for. */
static ulong tls_prf(const mechanism *m) {
    struct { byte *seed; ulong seed_length; byte *label; ulong label_length; byte *output; ulong *length; } *p = m->parameter;
    SIZE(); Y(seed, seed_length); Y(label, label_length);
    *p->length -= 4;
    memset(p->output, 0xAB, *p->length);
    return OK;
}

/* Says OK and writes nothing. */
static ulong wtls_prf(const mechanism *m) {
    struct { ulong digest; byte *seed; ulong seed_length; byte *label; ulong label_length; byte *output; ulong *length; }
        *p = m->parameter;
    SIZE(); U(digest); Y(seed, seed_length); Y(label, label_length);
    say("length=%lu ", *p->length);
    return OK;
}

static ulong tls_kdf(const mechanism *m) {
    struct { ulong prf; byte *label; ulong label_length; randoms randoms; byte *context; ulong context_length; }
        *p = m->parameter;
    SIZE(); U(prf); Y(label, label_length); RANDOMS(); Y(context, context_length);
    return OK;
}

static ulong tls_mac(const mechanism *m) {
    struct { ulong prf, length, side; } *p = m->parameter;
    SIZE(); U(prf); U(length); U(side);
    return OK;
}

static ulong hkdf(const mechanism *m) {
    struct { byte extract, expand; ulong prf, salt_type; byte *salt; ulong salt_length, salt_key; byte *info;
             ulong info_length; } *p = m->parameter;
    SIZE(); U(extract); U(expand); U(prf); U(salt_type); Y(salt, salt_length); U(salt_key); Y(info, info_length);
    return OK;
}

static ulong ecdh(const mechanism *m) {
    struct { ulong kdf, shared_length; byte *shared; ulong point_length; byte *point; } *p = m->parameter;
    SIZE(); U(kdf); Y(shared, shared_length); Y(point, point_length);
    return OK;
}

static ulong string(const mechanism *m) {
    struct { byte *data; ulong length; } *p = m->parameter;
    SIZE(); Y(data, length);
    return OK;
}

static ulong aes_cbc_data(const mechanism *m) {
    struct { byte iv[16]; byte *data; ulong length; } *p = m->parameter;
    SIZE(); FIXED(iv); Y(data, length);
    return OK;
}

static ulong des_cbc_data(const mechanism *m) {
    struct { byte iv[8]; byte *data; ulong length; } *p = m->parameter;
    SIZE(); FIXED(iv); Y(data, length);
    return OK;
}

static void say_segment(const prf_data *s) {
    say("[%lu", s->type);
    if (s->type == 4) say(" "), say_bytes("octets", s->value, s->length);
    else if (s->type == 5) say(" key=%lu size=%lu", *(ulong *)s->value, s->length);
    else if (s->type == 3) {
        struct { ulong method; byte little_endian; ulong width; } *p = s->value;
        say(" method=%lu little=%d width=%lu size=%s", p->method, p->little_endian, p->width,
            s->length == sizeof *p ? "right" : "WRONG");
    } else if (s->value) {
        struct { byte little_endian; ulong width; } *p = s->value;
        say(" little=%d width=%lu size=%s", p->little_endian, p->width, s->length == sizeof *p ? "right" : "WRONG");
    } else say(" NULL/%lu", s->length);
    say("] ");
}

static void more_keys(const derived_key *keys, ulong count) {
    for (ulong i = 0; i < count; i++) {
        say("{ ");
        say_template(keys[i].template, keys[i].count);
        say("} ");
        *keys[i].key = 41 + i;
    }
}

static ulong kbkdf(const mechanism *m) {
    struct { ulong prf, count; prf_data *data; ulong key_count; derived_key *keys; } *p = m->parameter;
    SIZE(); U(prf);
    for (ulong i = 0; i < p->count; i++) say_segment(p->data + i);
    more_keys(p->keys, p->key_count);
    return OK;
}

static ulong feedback_kbkdf(const mechanism *m) {
    struct { ulong prf, count; prf_data *data; ulong iv_length; byte *iv; ulong key_count; derived_key *keys; }
        *p = m->parameter;
    SIZE(); U(prf);
    for (ulong i = 0; i < p->count; i++) say_segment(p->data + i);
    Y(iv, iv_length);
    more_keys(p->keys, p->key_count);
    return OK;
}

static ulong ike_prf(const mechanism *m) {
    struct { ulong prf; byte data_as_key, rekey; byte *ni; ulong ni_length; byte *nr; ulong nr_length, new_key; }
        *p = m->parameter;
    SIZE(); U(prf); U(data_as_key); U(rekey); Y(ni, ni_length); Y(nr, nr_length); U(new_key);
    return OK;
}

static ulong ike2_prf_plus(const mechanism *m) {
    struct { ulong prf; byte has_seed_key; ulong seed_key; byte *seed; ulong seed_length; } *p = m->parameter;
    SIZE(); U(prf); U(has_seed_key); U(seed_key); Y(seed, seed_length);
    return OK;
}

static ulong ike1_prf(const mechanism *m) {
    struct { ulong prf; byte has_previous; ulong gxy, previous; byte *ckyi; ulong ckyi_length; byte *ckyr; ulong ckyr_length;
             byte number; } *p = m->parameter;
    SIZE(); U(prf); U(has_previous); U(gxy); U(previous); Y(ckyi, ckyi_length); Y(ckyr, ckyr_length); U(number);
    return OK;
}

static ulong ike1_extended(const mechanism *m) {
    struct { ulong prf; byte has_gxy; ulong gxy; byte *extra; ulong extra_length; } *p = m->parameter;
    SIZE(); U(prf); U(has_gxy); U(gxy); Y(extra, extra_length);
    return OK;
}

static ulong gcm(const mechanism *m) {
    if (m->length == 40) {
        struct { byte *iv; ulong iv_length; byte *aad; ulong aad_length, tag_bits; } *p = m->parameter;
        SIZE(); Y(iv, iv_length); Y(aad, aad_length); U(tag_bits);
        return OK;
    }
    struct { byte *iv; ulong iv_length, iv_bits; byte *aad; ulong aad_length, tag_bits; } *p = m->parameter;
    SIZE(); Y(iv, iv_length); U(iv_bits); Y(aad, aad_length); U(tag_bits);
    return OK;
}

static ulong ccm(const mechanism *m) {
    struct { ulong data_length; byte *nonce; ulong nonce_length; byte *aad; ulong aad_length, mac_length; } *p = m->parameter;
    SIZE(); U(data_length); Y(nonce, nonce_length); Y(aad, aad_length); U(mac_length);
    return OK;
}

static ulong ctr(const mechanism *m) {
    struct { ulong bits; byte block[16]; } *p = m->parameter;
    SIZE(); U(bits); FIXED(block);
    return OK;
}

static ulong chacha(const mechanism *m) {
    struct { byte *nonce; ulong nonce_length; byte *aad; ulong aad_length; } *p = m->parameter;
    SIZE(); Y(nonce, nonce_length); Y(aad, aad_length);
    return OK;
}

static ulong rc2_cbc(const mechanism *m) {
    struct { ulong bits; byte iv[8]; } *p = m->parameter;
    SIZE(); U(bits); FIXED(iv);
    return OK;
}

static ulong pss(const mechanism *m) {
    struct { ulong hash, mgf, salt; } *p = m->parameter;
    SIZE(); U(hash); U(mgf); U(salt);
    return OK;
}

static ulong oaep(const mechanism *m) {
    struct { ulong hash, mgf, source; byte *data; ulong data_length; } *p = m->parameter;
    SIZE(); U(hash); U(mgf); U(source); Y(data, data_length);
    return OK;
}

static ulong number(const mechanism *m) {
    ulong *p = m->parameter;
    SIZE();
    say("number=%lu ", *p);
    return OK;
}

static ulong octets(const mechanism *m) {
    say_bytes("octets", m->parameter, m->length);
    return OK;
}

static const struct { ulong type; ulong (*read)(const mechanism *); } READERS[] = {
    {0x371, ssl3_master}, {0x3E0, tls12_master}, {0x056, extended_master}, {0xCE534369UL, extended_master},
    {0x3D1, wtls_master}, {0x372, ssl3_key_mat}, {0x376, ssl3_key_mat}, {0x3E1, tls12_key_mat}, {0x3D4, wtls_key_mat},
    {0x378, tls_prf}, {0x3D3, wtls_prf}, {0x3D9, tls_kdf}, {0x3D8, tls_mac}, {0x402A, hkdf}, {0x1050, ecdh},
    {0x362, string}, {0x1105, aes_cbc_data}, {0x1101, des_cbc_data}, {0x3AC, kbkdf}, {0x3AD, feedback_kbkdf},
    {0x402F, ike_prf}, {0x402E, ike2_prf_plus}, {0x4030, ike1_prf}, {0x4031, ike1_extended}, {0x1087, gcm},
    {0x1088, ccm}, {0x1086, ctr}, {0x4021, chacha}, {0x102, rc2_cbc}, {0x00D, pss}, {0x009, oaep}, {0x101, number},
    {0x365, number}, {0x360, number}, {0x252, number}, {0x1082, octets}, {0x021, octets}, {0x80000001UL, octets},
};

static ulong read_mechanism(const mechanism *m) {
    told[0] = 0;
    for (size_t i = 0; i < sizeof READERS / sizeof *READERS; i++)
        if (READERS[i].type == m->type) return READERS[i].read(m);
    return MECHANISM_INVALID;
}
