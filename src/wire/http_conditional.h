/* Conditional requests and byte ranges (RFC 9110 13, 14): what the server of a file must decide
 * before it sends the file. Pure; any thread. */
#ifndef FRAY_WIRE_HTTP_CONDITIONAL_H
#define FRAY_WIRE_HTTP_CONDITIONAL_H

#include "fray/err.h"
#include "wire/http_request.h"

/* What a server knows of the representation that it would send. */
struct fray_http_validators {
    struct fray_slice etag; /* with its quotes, W/ before them if weak; empty when there is none */
    int64_t modified_s;     /* Last-Modified, seconds since 1970; FRAY_HTTP_MODIFIED_NONE: none */
};

#define FRAY_HTTP_MODIFIED_NONE INT64_MIN

enum fray_http_etag_comparison {
    FRAY_HTTP_ETAG_STRONG, /* If-Match, If-Range: weak tags equal nothing (RFC 9110 8.8.3.2) */
    FRAY_HTTP_ETAG_WEAK,   /* If-None-Match: W/ does not count */
};

/* True when a list of entity-tags holds `etag`, or is "*" and etag is not empty. A list that breaks
 * the grammar holds what came before the break. */
bool fray_http_etag_matches(struct fray_slice list, struct fray_slice etag,
                            enum fray_http_etag_comparison comparison);

enum fray_http_precondition {
    FRAY_HTTP_PROCEED,
    FRAY_HTTP_NOT_MODIFIED,        /* answer 304 */
    FRAY_HTTP_PRECONDITION_FAILED, /* answer 412 */
};

/* If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in their order of precedence
 * (RFC 9110 13.2.2). A date that does not parse counts as absent. `now_s` is for RFC 850 dates. */
enum fray_http_precondition
fray_http_precondition_check(const struct fray_http_request *request,
                             const struct fray_http_validators *validators, int64_t now_s);

struct fray_http_range {
    uint64_t first, len; /* len > 0, first + len <= size */
};

/* Reads a Range value against a representation of `size` bytes. FRAY_OK: send 206 with *out.
 * FRAY_ERR_LIMIT: no byte of it is there; answer 416. Everything else is to be ignored and the
 * whole sent with 200, as RFC 9110 14.2 allows: FRAY_ERR_SYNTAX for a bad range or another unit,
 * FRAY_ERR_UNSUPPORTED for several ranges, and for a suffix of an empty representation. */
enum fray_err fray_http_range_parse(struct fray_slice value, uint64_t size,
                                    struct fray_http_range *out) FRAY_MUST_CHECK;

/* The range that a request asks for, If-Range considered (RFC 9110 13.1.5). Ask after the
 * precondition said FRAY_HTTP_PROCEED. FRAY_ERR_NOT_FOUND when there is none, the method is not
 * GET, or If-Range does not hold; the others as above. */
enum fray_err fray_http_request_range(const struct fray_http_request *request,
                                      const struct fray_http_validators *validators, int64_t now_s,
                                      uint64_t size, struct fray_http_range *out) FRAY_MUST_CHECK;

#endif
