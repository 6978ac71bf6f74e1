/* Cross-origin resource sharing (the Fetch standard, 3.2), answering as the cors package that
 * Socket.IO uses does. Made once, then only read: any thread. */
#ifndef FRAY_SERVER_HTTP_CORS_H
#define FRAY_SERVER_HTTP_CORS_H

#include "transport/http.h"

struct fray_http_cors {
    /* None: off, nothing is added. "*" alone: any origin. Borrowed, "https://example.org" each. */
    const char *const *origins;
    size_t origins_count;
    bool credentials;   /* pages may send cookies; not together with "*", says the standard */
    unsigned max_age_s; /* how long a preflight's answer holds; 0: the browser's default */
};

bool fray_http_cors_allows(const struct fray_http_cors *cors, struct fray_slice origin);

/* Adds the headers that every reply needs, errors included: call it from on_head. */
void fray_http_cors_apply(const struct fray_http_cors *cors, fray_request *request);

/* True when the request was a preflight and has been answered (after fray_http_cors_apply). */
bool fray_http_cors_preflight(const struct fray_http_cors *cors, fray_request *request);

#endif
