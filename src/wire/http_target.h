/* The request-target and the authority of an HTTP/1.1 request (RFC 9112 3.2, RFC 3986 3.2).
 * Pure, no copies: the parts are slices of the target. Any thread. */
#ifndef FRAY_WIRE_HTTP_TARGET_H
#define FRAY_WIRE_HTTP_TARGET_H

#include "fray/err.h"
#include "wire/http.h"

struct fray_http_target {
    struct fray_slice authority; /* host[:port] of the absolute-form, else empty */
    struct fray_slice path;      /* still percent-encoded; empty in "http://host", "*" for itself */
    struct fray_slice query; /* after the first '?', which is not part of it; data NULL without */
};

/* Cuts a target into its parts: origin-form, absolute-form (http and https only), and for OPTIONS
 * the asterisk-form. FRAY_ERR_SYNTAX for every other, and for a character no target may hold. */
enum fray_err fray_http_target_parse(struct fray_http_target *out, struct fray_slice target,
                                     enum fray_http_method method) FRAY_MUST_CHECK;

/* True for uri-host [":" port] with a host that is not empty and a port that fits 16 bits
 * (RFC 9110 7.2, 4.2.1); userinfo, paths and spaces are refused. */
bool fray_http_authority_is_valid(struct fray_slice authority);

#endif
