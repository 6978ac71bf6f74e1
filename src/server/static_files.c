#include "server/static_files.h"

#include "server/static_reply.h"
#include "wire/http_response.h"
#include "wire/url.h"

const char *fray_static_content_type(struct fray_slice name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"}, /* RFC 9239 */
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json; charset=utf-8"},
        {".map", "application/json; charset=utf-8"},
        {".webmanifest", "application/manifest+json; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/markdown; charset=utf-8"},
        {".svg", "image/svg+xml; charset=utf-8"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
        {".avif", "image/avif"},
        {".ico", "image/x-icon"},
        {".wasm", "application/wasm"},
        {".woff2", "font/woff2"},
        {".mp3", "audio/mpeg"},
        {".ogg", "audio/ogg"},
        {".wav", "audio/wav"},
        {".mp4", "video/mp4"},
        {".webm", "video/webm"},
        {".pdf", "application/pdf"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct fray_slice ending = fray_slice_of(types[i].ending);
        if (name.len > ending.len &&
            fray_http_equal(fray_slice_skip(name, name.len - ending.len), ending))
            return types[i].type;
    }
    return "application/octet-stream";
}

bool fray_static_is_hashed(struct fray_slice name)
{
    enum { HASH_MIN = 8 };
    const char *slash = memrchr(name.data, '/', name.len);
    if (slash)
        name = fray_slice_skip(name, (size_t)(slash + 1 - name.data));
    const char *dot = memchr(name.data, '.', name.len);
    while (dot) {
        struct fray_slice rest = fray_slice_skip(name, (size_t)(dot + 1 - name.data));
        const char *end = memchr(rest.data, '.', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : 0;
        if (dot > name.data && len >= HASH_MIN &&
            fray_http_is_all(fray_slice(rest.data, len), FRAY_HTTP_HEX))
            return true;
        dot = end;
    }
    return false;
}

enum fray_err fray_static_path(fray_request *request, size_t skip, struct fray_buf *path)
{
    enum fray_err err = fray_url_path_normalise(fray_http_request_path(request->head), path);
    if (!err && (path->len <= skip || path->data[skip] != '/'))
        err = FRAY_ERR_DENIED; /* it climbed out of the route's prefix */
    if (err)
        fray_request_reply_status(request, err == FRAY_ERR_SYNTAX ? 400 : 404);
    else
        fray_buf_consume(path, skip);
    return err;
}

enum fray_http_encoding fray_static_choose(const fray_request *request, unsigned offered)
{
    struct fray_http_encodings accepted;
    fray_http_encodings_read(&accepted, request->head);
    enum fray_http_encoding best = fray_http_encodings_choose(&accepted, offered);
    return best == FRAY_HTTP_ENCODING_COUNT ? FRAY_HTTP_ENCODING_IDENTITY : best;
}

/* What a 304 has to say as well (RFC 9110 15.4.5). */
static void add_cache_headers(const struct fray_static_reply *reply, fray_request *request)
{
    if (reply->has_variants)
        fray_request_add_header(request, FRAY_SLICE("vary"), FRAY_SLICE("accept-encoding"));
    fray_request_add_header(request, FRAY_SLICE("cache-control"),
                            reply->is_immutable ? FRAY_SLICE("public, max-age=31536000, immutable")
                                                : FRAY_SLICE("no-cache"));
    if (reply->validators.etag.len)
        fray_request_add_header(request, FRAY_SLICE("etag"), reply->validators.etag);
    if (reply->validators.modified_s != FRAY_HTTP_MODIFIED_NONE)
        fray_http_response_last_modified(&request->reply_headers, reply->validators.modified_s);
}

enum fray_err fray_static_begin(const struct fray_static_reply *reply, fray_request *request,
                                int *status, struct fray_http_range *range)
{
    int64_t now_s = fray_http_service_now_s(request->service);
    switch (fray_http_precondition_check(request->head, &reply->validators, now_s)) {
    case FRAY_HTTP_NOT_MODIFIED:
        add_cache_headers(reply, request);
        fray_request_reply(request, 304, NULL, NULL, 0);
        return FRAY_ERR_STATE;
    case FRAY_HTTP_PRECONDITION_FAILED:
        fray_request_reply_status(request, 412);
        return FRAY_ERR_STATE;
    case FRAY_HTTP_PROCEED: break;
    }
    *status = 200;
    *range = (struct fray_http_range){.first = 0, .len = reply->size};
    struct fray_http_range asked;
    enum fray_err err =
        fray_http_request_range(request->head, &reply->validators, now_s, reply->size, &asked);
    if (err == FRAY_ERR_LIMIT) {
        fray_http_response_content_range_none(&request->reply_headers, reply->size);
        fray_request_reply_status(request, 416);
        return FRAY_ERR_STATE;
    }
    if (!err) {
        *status = 206;
        *range = asked;
        fray_http_response_content_range(&request->reply_headers, asked.first,
                                         asked.first + asked.len - 1, reply->size);
    }
    add_cache_headers(reply, request);
    fray_request_add_header(request, FRAY_SLICE("accept-ranges"), FRAY_SLICE("bytes"));
    fray_request_add_header(request, FRAY_SLICE("x-content-type-options"), FRAY_SLICE("nosniff"));
    if (reply->encoding != FRAY_HTTP_ENCODING_IDENTITY)
        fray_request_add_header(request, FRAY_SLICE("content-encoding"),
                                fray_slice_of(fray_http_encoding_name(reply->encoding)));
    return FRAY_OK;
}

static int compare_path(struct fray_slice path, const char *other)
{
    size_t other_len = strlen(other);
    int order = memcmp(path.data, other, path.len < other_len ? path.len : other_len);
    return order ? order : (path.len > other_len) - (path.len < other_len);
}

static const struct fray_embedded_file *find_name(const struct fray_embedded_set *set,
                                                  struct fray_slice name)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_path(name, set->files[middle].path);
        if (order == 0)
            return &set->files[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct fray_embedded_file *fray_embedded_find(const struct fray_embedded_set *set,
                                                    struct fray_slice path)
{
    if (path.len == 0 || path.data[0] != '/')
        return NULL;
    struct fray_slice name = fray_slice_skip(path, 1);
    if (path.data[path.len - 1] != '/')
        return find_name(set, name);
    struct fray_buf index = {0};
    fray_buf_append_slice(&index, name);
    FRAY_BUF_LITERAL(&index, "index.html");
    const struct fray_embedded_file *file = find_name(set, fray_buf_slice(&index));
    fray_buf_deinit(&index);
    return file;
}

static struct fray_slice variant_of(const struct fray_embedded_file *file,
                                    enum fray_http_encoding encoding)
{
    if (encoding == FRAY_HTTP_ENCODING_BR)
        return file->br;
    return encoding == FRAY_HTTP_ENCODING_GZIP ? file->gzip : file->bytes;
}

void fray_static_redirect(fray_request *request, struct fray_slice path)
{
    struct fray_slice query = fray_http_request_query(request->head);
    const char *slash = memrchr(path.data, '/', path.len);
    struct fray_slice name = fray_slice_skip(path, (size_t)(slash + 1 - path.data));
    struct fray_buf location = {0};
    FRAY_BUF_LITERAL(&location, "./");
    for (size_t i = 0; i < name.len; i++) {
        if (fray_http_is(name.data[i], FRAY_HTTP_TOKEN) && name.data[i] != '%')
            fray_buf_append_byte(&location, (uint8_t)name.data[i]);
        else
            fray_buf_printf(&location, "%%%02X", (uint8_t)name.data[i]);
    }
    fray_buf_append_byte(&location, '/');
    if (query.data) {
        fray_buf_append_byte(&location, '?');
        fray_buf_append_slice(&location, query);
    }
    fray_request_add_header(request, FRAY_SLICE("location"), fray_buf_slice(&location));
    fray_buf_deinit(&location);
    fray_request_reply_status(request, 301);
}

/* Is there an index in the directory of this name, which lacks the '/' of a directory? */
static bool is_directory(const struct fray_embedded_set *set, struct fray_slice path)
{
    if (path.len < 2 || path.data[path.len - 1] == '/')
        return false;
    struct fray_buf slashed = {0};
    fray_buf_append_slice(&slashed, path);
    fray_buf_append_byte(&slashed, '/');
    bool is = fray_embedded_find(set, fray_buf_slice(&slashed)) != NULL;
    fray_buf_deinit(&slashed);
    return is;
}

bool fray_embedded_serve(const struct fray_embedded_set *set, fray_request *request,
                         struct fray_slice path)
{
    const struct fray_embedded_file *file = fray_embedded_find(set, path);
    if (!file && is_directory(set, path)) {
        fray_static_redirect(request, path);
        return true;
    }
    if (!file)
        return false;
    unsigned offered = 1u << FRAY_HTTP_ENCODING_IDENTITY;
    if (file->br.len)
        offered |= 1u << FRAY_HTTP_ENCODING_BR;
    if (file->gzip.len)
        offered |= 1u << FRAY_HTTP_ENCODING_GZIP;

    struct fray_static_reply reply = {.has_variants = file->br.len || file->gzip.len,
                                      .is_immutable = file->is_immutable};
    reply.encoding = fray_static_choose(request, offered);
    struct fray_slice bytes = variant_of(file, reply.encoding);
    reply.size = bytes.len;
    /* Other bytes, another tag (RFC 9110 8.8.3.3). */
    struct fray_buf etag = {0};
    fray_buf_printf(
        &etag, "\"%s%s%s\"", file->hash, reply.encoding == FRAY_HTTP_ENCODING_IDENTITY ? "" : "-",
        reply.encoding == FRAY_HTTP_ENCODING_IDENTITY ? ""
                                                      : fray_http_encoding_name(reply.encoding));
    reply.validators = (struct fray_http_validators){.etag = fray_buf_slice(&etag),
                                                     .modified_s = FRAY_HTTP_MODIFIED_NONE};
    int status;
    struct fray_http_range range;
    if (!fray_static_begin(&reply, request, &status, &range))
        fray_request_reply_static(request, status,
                                  fray_static_content_type(fray_slice_of(file->path)),
                                  fray_slice(bytes.data + range.first, (size_t)range.len));
    fray_buf_deinit(&etag);
    return true;
}
