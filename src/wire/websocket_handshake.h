/* The WebSocket opening handshake (RFC 6455 section 4), both sides, over fields that an HTTP codec
 * has found. Pure, but for the hash, which belongs to one thread at a time. */
#ifndef FRAY_WIRE_WEBSOCKET_HANDSHAKE_H
#define FRAY_WIRE_WEBSOCKET_HANDSHAKE_H

#include <stdint.h>

#include "base/buf.h"
#include "fray/err.h"

enum {
    FRAY_WEBSOCKET_NONCE_LEN = 16,  /* random bytes behind a Sec-WebSocket-Key */
    FRAY_WEBSOCKET_KEY_LEN = 24,    /* the same in base64 */
    FRAY_WEBSOCKET_ACCEPT_LEN = 28, /* base64 of a SHA-1 */
};

/* SHA-1, fetched from OpenSSL once: each fetch costs more than the hashing. One per worker. */
struct fray_websocket_hash {
    struct evp_md_st *md;
    struct evp_md_ctx_st *ctx;
};

void fray_websocket_hash_init(struct fray_websocket_hash *hash);
void fray_websocket_hash_deinit(struct fray_websocket_hash *hash);

/* Sec-WebSocket-Accept for a key (section 4.2.2 item 5.4); no terminator. */
void fray_websocket_accept(struct fray_websocket_hash *hash, struct fray_slice key,
                           char out[FRAY_WEBSOCKET_ACCEPT_LEN]);

/* Cuts the next element off a comma-separated list, without the blanks around it; empty elements
 * are skipped, and a comma within a quoted string separates nothing. False at the list's end. */
bool fray_websocket_list_next(struct fray_slice *rest, struct fray_slice *element);

/* The protocol to speak: the first that the client offers, in its order of preference, among those
 * that are supported; the result is the supported slice. Names are case-sensitive. NULL if none. */
const struct fray_slice *fray_websocket_protocol_pick(struct fray_slice offered,
                                                      const struct fray_slice *supported,
                                                      size_t count);

/* --- server --- */

/* A request's fields; empty where absent. A field that came several times is given joined by ", "
 * (RFC 9110 section 5.3), which also makes a doubled key or version invalid, as it must be. */
struct fray_websocket_request {
    struct fray_slice method;
    unsigned minor; /* of HTTP/1.x */
    struct fray_slice upgrade;
    struct fray_slice connection;
    struct fray_slice version; /* Sec-WebSocket-Version */
    struct fray_slice key;     /* Sec-WebSocket-Key */
};

/* The HTTP status that the request deserves (section 4.2.1):
 *   101  answer with fray_websocket_response_append
 *   405  not GET: send `Allow: GET`
 *   426  another version: send FRAY_WEBSOCKET_VERSION_FIELDS (section 4.4)
 *   400  not an upgrade to WebSocket, or a bad key */
unsigned fray_websocket_request_check(const struct fray_websocket_request *request);

#define FRAY_WEBSOCKET_VERSION_FIELDS                                                              \
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"

/* What the answer says beside the key's proof; each may be empty. */
struct fray_websocket_answer {
    struct fray_slice protocol;   /* Sec-WebSocket-Protocol: what was picked */
    struct fray_slice extensions; /* Sec-WebSocket-Extensions: what was negotiated */
    struct fray_slice fields;     /* more header lines, each with its CRLF */
};

/* Appends the whole 101 response to a request that was checked. */
void fray_websocket_response_append(struct fray_buf *out, struct fray_websocket_hash *hash,
                                    struct fray_slice key,
                                    const struct fray_websocket_answer *answer);

/* --- client --- */

/* What a client asks for. The caller vouches that no slice holds CR or LF. */
struct fray_websocket_target {
    struct fray_slice host;       /* with its port, unless it is the scheme's */
    struct fray_slice path;       /* with its query */
    struct fray_slice protocols;  /* offered, comma-separated; may be empty */
    struct fray_slice extensions; /* offered; may be empty */
    struct fray_slice fields;     /* more header lines, each with its CRLF: Origin, Cookie */
};

/* Appends the request, and writes the key that it uses, which the response must prove. */
void fray_websocket_request_append(struct fray_buf *out, const struct fray_websocket_target *target,
                                   const uint8_t nonce[FRAY_WEBSOCKET_NONCE_LEN],
                                   char key[FRAY_WEBSOCKET_KEY_LEN]);

/* A response's head, as slices of the bytes it was decoded from. */
struct fray_websocket_response {
    size_t len;      /* of the head: frames follow behind it */
    unsigned status; /* 101, or why not */
    struct fray_slice upgrade;
    struct fray_slice connection;
    struct fray_slice accept;
    struct fray_slice protocol;
    struct fray_slice extensions;
};

/* Finds the fields in a response's head. FRAY_ERR_AGAIN while it is not whole; FRAY_ERR_SYNTAX if
 * it is no HTTP/1.1 response, or gives one of these fields twice. The caller bounds how much it
 * reads. */
FRAY_MUST_CHECK enum fray_err fray_websocket_response_decode(struct fray_slice in,
                                                             struct fray_websocket_response *out);

/* Whether the response opens the connection (section 4.1): FRAY_ERR_DENIED if the server answered
 * with another status, FRAY_ERR_SYNTAX if its 101 does not prove the key or speaks a protocol that
 * was not offered. Extensions are judged by fray_websocket_deflate_confirm. */
FRAY_MUST_CHECK enum fray_err
fray_websocket_response_check(const struct fray_websocket_response *response,
                              struct fray_websocket_hash *hash, struct fray_slice key,
                              struct fray_slice protocols_offered);

#endif
