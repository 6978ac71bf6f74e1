/* TLS 1.2 and 1.3 with OpenSSL: contexts (certificate and key) and engines (one connection's
 * state).
 *
 * An engine is pure: it is given the bytes that came and makes the bytes to be sent. net/stream.h
 * moves them, over any backend of the loop. */
#ifndef FRAY_NET_TLS_H
#define FRAY_NET_TLS_H

#include <sys/uio.h>

#include "base/buf.h"
#include "fray/err.h"

/* Immutable once made; may be shared by the loops of several threads. Engines keep what they need
 * of it, so it may be destroyed, or replaced for the connections to come, while they live. */
struct fray_tls_context;

enum { FRAY_TLS_ERROR_MAX = 512 };

/* A server's context from PEM files: the chain with the server's certificate first, and its key.
 * NULL: then `error` holds one sentence that says which file is wrong, and how. */
struct fray_tls_context *fray_tls_context_create(const char *cert_path, const char *key_path,
                                                 char error[FRAY_TLS_ERROR_MAX]);
/* A server's context with a new P-256 key and a certificate for localhost, 127.0.0.1 and ::1, valid
 * for a year, in memory only: for development. */
struct fray_tls_context *fray_tls_context_create_self_signed(void);
/* A client's context. It trusts servers by the authorities that OpenSSL finds on this machine, or
 * where the environment's SSL_CERT_FILE and SSL_CERT_DIR say; or every server: for tests, and for
 * servers with self-signed certificates. */
struct fray_tls_context *fray_tls_context_create_client(bool trusts_anyone);
void fray_tls_context_destroy(struct fray_tls_context *context);

/* One connection's state. One thread at a time. */
struct fray_tls;

enum {
    FRAY_TLS_RECORD_MAX =
        16384 + 512,                /* more plain text than one call to receive has from before */
    FRAY_TLS_BATCH_MAX = 64 * 1024, /* plain text that one call to send takes at most */
};

/* `server`: whom a client wants, a name or an IP address; its certificate has to be for it, and a
 * name is told to it (SNI). NULL: nobody in particular, where the context trusts anyone; or this is
 * the server. */
struct fray_tls *fray_tls_create(struct fray_tls_context *context, const char *server);
void fray_tls_destroy(struct fray_tls *tls);

/* Takes all of `input` and decrypts it to `plain`, which has room for input.len +
 * FRAY_TLS_RECORD_MAX bytes and does not overlap it; *count bytes were written, whatever is
 * returned. FRAY_ERR_CLOSED: close_notify came. FRAY_ERR_IO: the peer broke the protocol; the alert
 * is in the output. A client's first call, with no input, begins the handshake. */
FRAY_MUST_CHECK enum fray_err fray_tls_receive(struct fray_tls *tls, struct fray_slice input,
                                               char *plain, size_t *count);

/* Encrypts the parts behind their first `skip` bytes, at most FRAY_TLS_BATCH_MAX bytes; *count
 * bytes were taken. Small parts share a record. FRAY_ERR_AGAIN: the handshake is not done.
 * FRAY_ERR_IO: broken. */
FRAY_MUST_CHECK enum fray_err fray_tls_send(struct fray_tls *tls, const struct iovec *parts,
                                            int parts_count, size_t skip, size_t *count);

/* Appends close_notify to the output, if the handshake is done and nothing broke. */
void fray_tls_finish(struct fray_tls *tls);

bool fray_tls_is_ready(const struct fray_tls *tls); /* the handshake is done */

/* Why a client broke off: what is wrong with the server's certificate, in OpenSSL's words. NULL:
 * nothing, or it was not for that. */
const char *fray_tls_distrust(const struct fray_tls *tls);

/* What has to be sent; whoever sends it consumes it. */
struct fray_buf *fray_tls_output(struct fray_tls *tls);

#endif
