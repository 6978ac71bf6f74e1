#include "server/jwt.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "wire/base64.h"

enum {
    SHA256_LEN = 32,
    ES256_LEN = 64,      /* r and s, 32 bytes each (RFC 7518 3.4) */
    ED25519_LEN = 64,    /* RFC 8032 5.1.6 */
    RSA_BITS_MIN = 2048, /* RFC 7518 3.3 */
};

struct fray_jwt_verifier {
    char *secret;            /* NULL: none */
    EVP_PKEY *key;           /* NULL: none */
    const char *alg;         /* of the key */
    char *audience, *issuer; /* NULL: any */
};

/* ------------------------------------------------------------------ keys */

static const char *alg_of(EVP_PKEY *key)
{
    char group[32] = "";
    if (EVP_PKEY_is_a(key, "RSA"))
        return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN ? "RS256" : NULL;
    if (EVP_PKEY_is_a(key, "ED25519"))
        return "EdDSA";
    if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, NULL) &&
        strcmp(group, "prime256v1") == 0)
        return "ES256";
    return NULL;
}

static char *copy(const char *text)
{
    return text && *text ? fray_strndup(text, strlen(text)) : NULL;
}

struct fray_jwt_verifier *fray_jwt_verifier_create(const struct fray_jwt_options *options,
                                                   const char **error)
{
    struct fray_jwt_verifier *verifier = fray_alloc_zero(sizeof *verifier);
    verifier->secret = copy(options->secret);
    verifier->audience = copy(options->audience);
    verifier->issuer = copy(options->issuer);
    if (!options->public_key_pem || !*options->public_key_pem)
        return verifier;
    BIO *pem = BIO_new_mem_buf(options->public_key_pem, -1);
    verifier->key = PEM_read_bio_PUBKEY(pem, NULL, NULL, NULL);
    BIO_free(pem);
    verifier->alg = verifier->key ? alg_of(verifier->key) : NULL;
    if (verifier->alg)
        return verifier;
    *error = verifier->key ? "is neither an RSA key of 2048 bits or more, nor P-256, nor Ed25519"
                           : "holds no public key in PEM";
    fray_jwt_verifier_destroy(verifier);
    return NULL;
}

void fray_jwt_verifier_destroy(struct fray_jwt_verifier *verifier)
{
    if (!verifier)
        return;
    if (verifier->secret)
        OPENSSL_cleanse(verifier->secret, strlen(verifier->secret));
    free(verifier->secret);
    EVP_PKEY_free(verifier->key);
    free(verifier->audience);
    free(verifier->issuer);
    free(verifier);
}

/* ------------------------------------------------------------------ parts of a token */

/* Base64url without padding (RFC 7515 2), as the standard alphabet with it. */
static bool decode(struct fray_slice text, struct fray_buf *out)
{
    struct fray_buf standard = {0};
    bool is_good = text.len % 4 != 1;
    for (size_t i = 0; i < text.len && is_good; i++) {
        char c = text.data[i];
        is_good = c != '+' && c != '/' && c != '=';
        fray_buf_append_byte(&standard, (uint8_t)(c == '-' ? '+' : c == '_' ? '/' : c));
    }
    while (standard.len % 4)
        fray_buf_append_byte(&standard, '=');
    is_good = is_good && !fray_base64_decode(out, fray_buf_slice(&standard));
    fray_buf_deinit(&standard);
    return is_good;
}

static json_t *decode_object(struct fray_slice text)
{
    struct fray_buf bytes = {0};
    json_t *object = NULL;
    if (decode(text, &bytes))
        object = json_loadb(bytes.data ? bytes.data : "", bytes.len, JSON_REJECT_DUPLICATES, NULL);
    fray_buf_deinit(&bytes);
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

struct token {
    struct fray_slice header, payload, signature; /* encoded */
    struct fray_slice signed_part;                /* header.payload */
};

static bool split(struct fray_slice text, struct token *token)
{
    const char *first = text.len ? memchr(text.data, '.', text.len) : NULL;
    if (!first)
        return false;
    struct fray_slice rest = fray_slice_skip(text, (size_t)(first + 1 - text.data));
    const char *second = rest.len ? memchr(rest.data, '.', rest.len) : NULL;
    if (!second)
        return false;
    token->header = fray_slice(text.data, (size_t)(first - text.data));
    token->payload = fray_slice(rest.data, (size_t)(second - rest.data));
    token->signature = fray_slice_skip(rest, token->payload.len + 1);
    token->signed_part = fray_slice(text.data, (size_t)(second - text.data));
    return token->signature.len == 0 || !memchr(token->signature.data, '.', token->signature.len);
}

/* ------------------------------------------------------------------ signatures */

static bool verify_hs256(const char *secret, struct fray_slice text, struct fray_slice signature)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    return signature.len == SHA256_LEN &&
           HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text.data,
                text.len, mac, &len) &&
           len == SHA256_LEN && CRYPTO_memcmp(mac, signature.data, SHA256_LEN) == 0;
}

/* r and s side by side, as OpenSSL wants them: in DER. */
static bool es256_to_der(struct fray_slice signature, struct fray_buf *der)
{
    const unsigned char *bytes = (const unsigned char *)signature.data;
    if (signature.len != ES256_LEN)
        return false;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, ES256_LEN / 2, NULL);
    BIGNUM *s = BN_bin2bn(bytes + ES256_LEN / 2, ES256_LEN / 2, NULL);
    unsigned char *out = NULL;
    int len = pair && r && s && ECDSA_SIG_set0(pair, r, s) ? i2d_ECDSA_SIG(pair, &out) : -1;
    if (len > 0)
        fray_buf_append(der, out, (size_t)len);
    OPENSSL_free(out);
    ECDSA_SIG_free(pair); /* and with it r and s */
    return len > 0;
}

static bool verify_public(EVP_PKEY *key, const char *alg, struct fray_slice text,
                          struct fray_slice signature)
{
    struct fray_buf der = {0};
    bool is_eddsa = strcmp(alg, "EdDSA") == 0;
    bool is_good = !is_eddsa || signature.len == ED25519_LEN;
    if (strcmp(alg, "ES256") == 0) {
        is_good = es256_to_der(signature, &der);
        signature = fray_buf_slice(&der);
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    is_good = is_good && context &&
              EVP_DigestVerifyInit(context, NULL, is_eddsa ? NULL : EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.len,
                               (const unsigned char *)text.data, text.len) == 1;
    EVP_MD_CTX_free(context);
    fray_buf_deinit(&der);
    return is_good;
}

/* NULL: the signature is good. */
static const char *check_signature(const struct fray_jwt_verifier *verifier,
                                   const struct token *token, const json_t *header)
{
    const char *alg = json_string_value(json_object_get(header, "alg"));
    if (!alg || json_object_get(header, "crit")) /* extensions that must be understood: none are */
        return "The token is malformed.";
    bool is_secret = verifier->secret && strcmp(alg, "HS256") == 0;
    bool is_public = verifier->key && strcmp(alg, verifier->alg) == 0;
    if (!is_secret && !is_public)
        return "The token's algorithm is not allowed.";
    struct fray_buf signature = {0};
    bool is_good = decode(token->signature, &signature) && signature.len;
    if (is_good && is_secret)
        is_good = verify_hs256(verifier->secret, token->signed_part, fray_buf_slice(&signature));
    else if (is_good)
        is_good = verify_public(verifier->key, verifier->alg, token->signed_part,
                                fray_buf_slice(&signature));
    fray_buf_deinit(&signature);
    return is_good ? NULL : "The token's signature is wrong.";
}

/* ------------------------------------------------------------------ claims (RFC 7519 4.1) */

/* aud is a string or an array of them. */
static bool is_audience(const json_t *aud, const char *audience)
{
    const json_t *item;
    size_t i;
    if (json_is_string(aud))
        return strcmp(json_string_value(aud), audience) == 0;
    json_array_foreach(aud, i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), audience) == 0)
            return true;
    }
    return false;
}

static const char *check_claims(const struct fray_jwt_verifier *verifier, const json_t *claims,
                                int64_t now_s)
{
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
    const char *issuer = json_string_value(json_object_get(claims, "iss"));
    if ((exp && !json_is_number(exp)) || (nbf && !json_is_number(nbf)))
        return "The token is malformed.";
    if (exp && json_number_value(exp) <= (double)now_s)
        return "The token has expired.";
    if (nbf && json_number_value(nbf) > (double)now_s)
        return "The token is not valid yet.";
    if (verifier->audience && !is_audience(json_object_get(claims, "aud"), verifier->audience))
        return "The token is for another audience.";
    if (verifier->issuer && (!issuer || strcmp(issuer, verifier->issuer) != 0))
        return "The token is of another issuer.";
    return NULL;
}

enum fray_err fray_jwt_verify(const struct fray_jwt_verifier *verifier, struct fray_slice text,
                              int64_t now_s, json_t **claims, const char **reason)
{
    struct token token;
    *claims = NULL;
    *reason = "The token is malformed.";
    if (!text.len)
        *reason = "A token is needed.";
    if (!text.len || text.len > FRAY_JWT_MAX || !split(text, &token))
        return FRAY_ERR_DENIED;
    json_t *header = decode_object(token.header);
    if (!header)
        return FRAY_ERR_DENIED;
    *reason = check_signature(verifier, &token, header);
    json_decref(header);
    if (*reason)
        return FRAY_ERR_DENIED;
    *claims = decode_object(token.payload);
    *reason = *claims ? check_claims(verifier, *claims, now_s) : "The token is malformed.";
    if (!*reason)
        return FRAY_OK;
    json_decref(*claims);
    *claims = NULL;
    return FRAY_ERR_DENIED;
}
