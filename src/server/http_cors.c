#include "server/http_cors.h"

static bool is_any(const struct fray_http_cors *cors)
{
    return cors->origins_count == 1 && strcmp(cors->origins[0], "*") == 0;
}

bool fray_http_cors_allows(const struct fray_http_cors *cors, struct fray_slice origin)
{
    if (is_any(cors))
        return true;
    for (size_t i = 0; i < cors->origins_count; i++)
        if (strcmp(cors->origins[i], "*") == 0 ||
            fray_slice_equal(origin, fray_slice_of(cors->origins[i])))
            return true;
    return false;
}

void fray_http_cors_apply(const struct fray_http_cors *cors, fray_request *request)
{
    static const struct fray_slice allow_origin = {"access-control-allow-origin", 27};
    if (cors->origins_count == 0)
        return;
    if (is_any(cors)) {
        fray_request_add_header(request, allow_origin, FRAY_SLICE("*"));
    } else {
        struct fray_slice origin = fray_http_request_header(request->head, FRAY_HTTP_HEADER_ORIGIN);
        if (origin.len && fray_http_cors_allows(cors, origin))
            fray_request_add_header(request, allow_origin, origin);
        /* Also without: a cache must not give this reply to a page of another origin. */
        fray_request_add_header(request, FRAY_SLICE("vary"), FRAY_SLICE("origin"));
    }
    if (cors->credentials)
        fray_request_add_header(request, FRAY_SLICE("access-control-allow-credentials"),
                                FRAY_SLICE("true"));
}

bool fray_http_cors_preflight(const struct fray_http_cors *cors, fray_request *request)
{
    if (cors->origins_count == 0 || request->method != FRAY_HTTP_OPTIONS ||
        !fray_http_request_has(request->head, FRAY_HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD))
        return false;
    fray_request_add_header(request, FRAY_SLICE("access-control-allow-methods"),
                            FRAY_SLICE("GET,HEAD,PUT,PATCH,POST,DELETE"));
    struct fray_slice headers =
        fray_http_request_header(request->head, FRAY_HTTP_HEADER_ACCESS_CONTROL_REQUEST_HEADERS);
    if (headers.len)
        fray_request_add_header(request, FRAY_SLICE("access-control-allow-headers"), headers);
    fray_request_add_header(request, FRAY_SLICE("vary"),
                            FRAY_SLICE("access-control-request-headers"));
    if (cors->max_age_s) {
        struct fray_buf seconds = {0};
        fray_buf_append_uint(&seconds, cors->max_age_s);
        fray_request_add_header(request, FRAY_SLICE("access-control-max-age"),
                                fray_buf_slice(&seconds));
        fray_buf_deinit(&seconds);
    }
    fray_request_reply(request, 204, NULL, NULL, 0);
    return true;
}
