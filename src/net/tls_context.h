/* What an engine needs to know of its context; everything else is in net/tls.h. */
#ifndef FRAY_NET_TLS_CONTEXT_H
#define FRAY_NET_TLS_CONTEXT_H

#include <stdbool.h>

#include <openssl/types.h>

struct fray_tls_context;

SSL_CTX *fray_tls_context_ssl(struct fray_tls_context *context);
bool fray_tls_context_is_client(const struct fray_tls_context *context);

#endif
