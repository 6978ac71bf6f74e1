#include "server/password.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>

#include "base/mem.h"
#include "wire/base64.h"

enum {
    LOG2_N =
        14, /* 16 MB and some 40 ms: what OWASP's cheat sheet calls sufficient with p = 5 is 2^14 */
    BLOCK_SIZE_R = 8,
    PARALLEL_P = 5,
    LOG2_N_MAX = 20,
    SALT_LEN = 16,
    HASH_LEN = 32,
    MEMORY_MAX = 2 * 1024 * 1024,
};

struct parts {
    unsigned log2_n, r, p;
    struct fray_buf salt, hash;
};

static void parts_deinit(struct parts *parts)
{
    fray_buf_deinit(&parts->salt);
    fray_buf_deinit(&parts->hash);
}

static bool derive(struct fray_slice password, const struct parts *parts, uint8_t out[HASH_LEN])
{
    uint64_t n = UINT64_C(1) << parts->log2_n;
    uint64_t memory = 128 * n * parts->r + 128 * UINT64_C(1) * parts->r * parts->p + MEMORY_MAX;
    return EVP_PBE_scrypt(password.len ? password.data : "", password.len,
                          (const unsigned char *)parts->salt.data, parts->salt.len, n, parts->r,
                          parts->p, memory, out, HASH_LEN) == 1;
}

static void append_unpadded(struct fray_buf *out, struct fray_slice bytes)
{
    fray_base64_append(out, bytes);
    while (out->len && out->data[out->len - 1] == '=')
        out->len--;
}

void fray_password_hash(struct fray_slice password, struct fray_buf *out)
{
    struct parts parts = {.log2_n = LOG2_N, .r = BLOCK_SIZE_R, .p = PARALLEL_P};
    uint8_t hash[HASH_LEN];
    int ok = RAND_bytes((unsigned char *)fray_buf_reserve(&parts.salt, SALT_LEN), SALT_LEN);
    assert(ok == 1);
    parts.salt.len = SALT_LEN;
    bool is_derived = derive(password, &parts, hash);
    assert(is_derived);
    fray_buf_printf(out, "$scrypt$ln=%u,r=%u,p=%u$", parts.log2_n, parts.r, parts.p);
    append_unpadded(out, fray_buf_slice(&parts.salt));
    fray_buf_append_byte(out, '$');
    append_unpadded(out, fray_slice(hash, HASH_LEN));
    parts_deinit(&parts);
}

static bool take_number(struct fray_slice *rest, const char *before, unsigned most, unsigned *value)
{
    struct fray_slice prefix = fray_slice_of(before);
    if (!fray_slice_starts(*rest, prefix))
        return false;
    *rest = fray_slice_skip(*rest, prefix.len);
    *value = 0;
    size_t digits = 0;
    while (digits < rest->len && rest->data[digits] >= '0' && rest->data[digits] <= '9' &&
           *value <= most)
        *value = *value * 10 + (unsigned)(rest->data[digits++] - '0');
    *rest = fray_slice_skip(*rest, digits);
    return digits && *value >= 1 && *value <= most;
}

static bool take_base64(struct fray_slice *rest, struct fray_buf *out)
{
    if (!rest->len || rest->data[0] != '$')
        return false;
    *rest = fray_slice_skip(*rest, 1);
    const char *end = rest->len ? memchr(rest->data, '$', rest->len) : NULL;
    struct fray_slice text = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
    *rest = fray_slice_skip(*rest, text.len);
    struct fray_buf padded = {0};
    fray_buf_append_slice(&padded, text);
    while (padded.len % 4)
        fray_buf_append_byte(&padded, '=');
    enum fray_err err = fray_base64_decode(out, fray_buf_slice(&padded));
    fray_buf_deinit(&padded);
    return !err;
}

static bool parse(struct fray_slice text, struct parts *parts)
{
    struct fray_slice rest = text;
    return take_number(&rest, "$scrypt$ln=", LOG2_N_MAX, &parts->log2_n) &&
           take_number(&rest, ",r=", 32, &parts->r) && take_number(&rest, ",p=", 16, &parts->p) &&
           take_base64(&rest, &parts->salt) && take_base64(&rest, &parts->hash) && !rest.len &&
           parts->salt.len && parts->hash.len == HASH_LEN;
}

bool fray_password_hash_valid(struct fray_slice hash)
{
    struct parts parts = {0};
    bool is_valid = parse(hash, &parts);
    parts_deinit(&parts);
    return is_valid;
}

bool fray_password_verify(struct fray_slice password, struct fray_slice hash)
{
    struct parts parts = {0};
    uint8_t derived[HASH_LEN];
    bool is_right = parse(hash, &parts) && derive(password, &parts, derived) &&
                    CRYPTO_memcmp(derived, parts.hash.data, HASH_LEN) == 0;
    parts_deinit(&parts);
    return is_right;
}

int fray_passwd_main(int argc, char **argv)
{
    char line[1024];
    if (argc != 1 || !*argv[0] || strpbrk(argv[0], ":\n")) {
        fprintf(stderr, "Usage: fray passwd NAME <FILE, where the first line of FILE is the "
                        "password and NAME has no colon.\n");
        return 2;
    }
    if (!fgets(line, sizeof line, stdin)) {
        fprintf(stderr, "There is no password on standard input.\n");
        return 1;
    }
    struct fray_buf text = {0};
    fray_password_hash(fray_slice(line, strcspn(line, "\r\n")), &text);
    printf("%s:%.*s\n", argv[0], (int)text.len, text.data);
    fray_buf_deinit(&text);
    OPENSSL_cleanse(line, sizeof line);
    return 0;
}
