/* JSON Web Tokens (RFC 7519) in compact form (RFC 7515 7.1), verified: HS256 by a secret; RS256,
 * ES256 or EdDSA (Ed25519, RFC 8037) by a public key.
 *
 * Which algorithm is allowed follows from the key that is configured, never from the token alone:
 * a secret verifies HS256 and nothing else, a public key only its own kind's algorithm, and "none"
 * is no algorithm here (RFC 8725 3.1, 3.2). Signatures are OpenSSL's business. Made once, then only
 * read: any thread. */
#ifndef FRAY_SERVER_JWT_H
#define FRAY_SERVER_JWT_H

#include <jansson.h>
#include <stdint.h>

#include "base/slice.h"
#include "fray/err.h"

enum { FRAY_JWT_MAX = 8192 }; /* bytes of a token; a longer one is refused unread */

struct fray_jwt_verifier;

struct fray_jwt_options {
    const char *secret;         /* "" or NULL: no HS256 */
    const char *public_key_pem; /* text; "" or NULL: no other */
    const char *audience;       /* "" or NULL: any */
    const char *issuer;         /* "" or NULL: any */
};

/* NULL: the public key is none that can be used; *error says so, static storage. Strings are
 * copied. */
struct fray_jwt_verifier *fray_jwt_verifier_create(const struct fray_jwt_options *options,
                                                   const char **error);
void fray_jwt_verifier_destroy(struct fray_jwt_verifier *verifier);

/* FRAY_OK: *claims is a new reference to an object. FRAY_ERR_DENIED: *reason says why, a sentence
 * that may be shown to the client; static storage. `now_s` is Unix time. */
FRAY_MUST_CHECK enum fray_err fray_jwt_verify(const struct fray_jwt_verifier *verifier,
                                              struct fray_slice token, int64_t now_s,
                                              json_t **claims, const char **reason);

#endif
