/* Where a client finds its server: "ws://host:port/path" or "wss://…", taken apart and looked up.
 */
#ifndef FRAY_CLIENT_URL_H
#define FRAY_CLIENT_URL_H

#include "base/buf.h"
#include "net/address.h"

enum { FRAY_CLIENT_ADDRESSES_MAX = 8 }; /* of one name, the first; more are left out */

struct fray_client_url {
    struct fray_address addresses[FRAY_CLIENT_ADDRESSES_MAX]; /* in the order to be tried */
    unsigned addresses_count;                                 /* at least one, once found */
    char *host, *path; /* of the request: host with port; the path without a slash at its end */
    char *name;        /* the host's name or address alone, as TLS wants it */
    bool is_tls;
};

/* False: it is no such URL, or its host is not known. Waits for the name's look-up. */
bool fray_client_url_find(struct fray_client_url *url, const char *text);
void fray_client_url_deinit(struct fray_client_url *url);
/* "&name=value", encoded as RFC 3986, section 2.3, wants it. Nothing where value is NULL. */
void fray_client_url_append(struct fray_buf *query, const char *name, const char *value);

#endif
