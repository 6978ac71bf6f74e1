/* What an application reads of a request, as terminated strings: made when they are asked for, kept
 * with the request. */
#include "base/mem.h"
#include "transport/http_connection.h"
#include "wire/url.h"
#include "wire/utf8.h"

enum text_kind { TEXT_PATH, TEXT_TARGET, TEXT_QUERY, TEXT_HEADER };

struct fray_request_text {
    struct fray_request_text *next;
    size_t name_len;
    uint8_t kind; /* enum text_kind */
    bool is_absent;
    char bytes[]; /* the name that was asked for, then the value and a NUL */
};

void fray_http_request_free_texts(fray_request *request)
{
    while (request->texts) {
        struct fray_request_text *text = request->texts;
        request->texts = text->next;
        free(text);
    }
}

static const char *value_of(const struct fray_request_text *text)
{
    return text->is_absent ? NULL : text->bytes + text->name_len;
}

static const struct fray_request_text *find_text(const fray_request *request, enum text_kind kind,
                                                 struct fray_slice name)
{
    const struct fray_request_text *text = request->texts;
    while (text &&
           (text->kind != kind || !fray_slice_equal(fray_slice(text->bytes, text->name_len), name)))
        text = text->next;
    return text;
}

/* `value` has data NULL when there is none. The request is only const to the application. */
static const char *add_text(const fray_request *request, enum text_kind kind,
                            struct fray_slice name, struct fray_slice value)
{
    struct fray_request_text *text = fray_alloc(sizeof *text + name.len + value.len + 1);
    *text = (struct fray_request_text){.next = request->texts,
                                       .name_len = name.len,
                                       .kind = (uint8_t)kind,
                                       .is_absent = value.data == NULL};
    if (name.len)
        memcpy(text->bytes, name.data, name.len);
    if (value.len)
        memcpy(text->bytes + name.len, value.data, value.len);
    text->bytes[name.len + value.len] = '\0';
    ((fray_request *)request)->texts = text;
    return value_of(text);
}

const char *fray_request_method(const fray_request *request)
{
    return fray_http_method_name((enum fray_http_method)request->method);
}

const char *fray_request_target(const fray_request *request)
{
    const struct fray_request_text *text = find_text(request, TEXT_TARGET, (struct fray_slice){0});
    if (text)
        return value_of(text);
    if (!request->head)
        return "";
    return add_text(request, TEXT_TARGET, (struct fray_slice){0},
                    fray_http_request_target(request->head));
}

/* A path that does not decode is shown as it was sent: it is nobody's route. */
const char *fray_request_path(const fray_request *request)
{
    const struct fray_request_text *text = find_text(request, TEXT_PATH, (struct fray_slice){0});
    if (text)
        return value_of(text);
    if (!request->head)
        return "";
    struct fray_slice path = fray_http_request_path(request->head);
    if (!memchr(path.data, '%', path.len))
        return add_text(request, TEXT_PATH, (struct fray_slice){0}, path);
    struct fray_buf decoded = {0};
    if (!fray_url_decode(path, &decoded))
        path = fray_buf_slice(&decoded);
    const char *value = add_text(request, TEXT_PATH, (struct fray_slice){0}, path);
    fray_buf_deinit(&decoded);
    return value;
}

const char *fray_request_query(const fray_request *request, const char *name)
{
    const struct fray_request_text *text = find_text(request, TEXT_QUERY, fray_slice_of(name));
    if (text)
        return value_of(text);
    if (!request->head)
        return NULL;
    struct fray_slice query = fray_http_request_query(request->head), value = {0};
    struct fray_buf scratch = {0};
    struct fray_url_param param;
    enum fray_err err = FRAY_ERR_NOT_FOUND;
    /* A pair that does not decode is skipped: it has no name that could be asked for. */
    while (query.data &&
           (err = fray_url_query_next(&query, &scratch, &param)) != FRAY_ERR_NOT_FOUND)
        if (!err && fray_slice_equal(param.name, fray_slice_of(name))) {
            value = param.value.data ? param.value : FRAY_SLICE("");
            break;
        }
    const char *copy = add_text(request, TEXT_QUERY, fray_slice_of(name), value);
    fray_buf_deinit(&scratch);
    return copy;
}

const char *fray_request_header(const fray_request *request, const char *name)
{
    struct fray_slice field = fray_slice_of(name);
    const struct fray_request_text *text = find_text(request, TEXT_HEADER, field);
    if (text)
        return value_of(text);
    if (!request->head)
        return NULL;
    return add_text(request, TEXT_HEADER, field, fray_http_request_find(request->head, field));
}

const void *fray_request_body(const fray_request *request, size_t *len)
{
    *len = request->body.len;
    return request->body.data;
}

/* Headers of which only the first counts when they repeat; others become a list, as in Node.js,
 * which Socket.IO's handshake shows to applications. */
static bool is_single(struct fray_slice name)
{
    static const char *const names[] = {
        "age",
        "authorization",
        "content-length",
        "content-type",
        "etag",
        "expires",
        "from",
        "host",
        "max-forwards",
        "if-modified-since",
        "if-unmodified-since",
        "last-modified",
        "location",
        "referer",
        "proxy-authorization",
        "retry-after",
        "server",
        "user-agent",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (fray_http_equal(name, fray_slice_of(names[i])))
            return true;
    return false;
}

/* Field values are bytes; those that are not UTF-8 are read as Latin-1 (RFC 9110 5.5). */
static void append_utf8(struct fray_buf *out, struct fray_slice value)
{
    if (fray_utf8_valid(value)) {
        fray_buf_append_slice(out, value);
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        uint8_t byte = (uint8_t)value.data[i];
        if (byte >= 0x80)
            fray_buf_append_byte(out, (uint8_t)(0xC0 | byte >> 6));
        fray_buf_append_byte(out, byte >= 0x80 ? (uint8_t)(0x80 | (byte & 0x3F)) : byte);
    }
}

static void add_header(json_t *headers, struct fray_slice name, struct fray_slice value,
                       struct fray_buf *scratch)
{
    char key[FRAY_HTTP_NAME_MAX + 1];
    for (size_t i = 0; i < name.len; i++)
        key[i] =
            (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] | 0x20 : name.data[i]);
    key[name.len] = '\0';
    scratch->len = 0;
    const json_t *before = json_object_get(headers, key);
    if (before) {
        if (is_single(name))
            return;
        fray_buf_append(scratch, json_string_value(before), json_string_length(before));
        fray_buf_append_slice(scratch, fray_slice_of(strcmp(key, "cookie") == 0 ? "; " : ", "));
    }
    append_utf8(scratch, value);
    json_object_set_new(headers, key,
                        json_stringn(scratch->data ? scratch->data : "", scratch->len));
}

json_t *fray_request_headers(const fray_request *request)
{
    json_t *headers = json_object();
    struct fray_buf scratch = {0};
    struct fray_slice name, value;
    for (size_t i = 0; request->head && fray_http_request_field(request->head, i, &name, &value);
         i++)
        add_header(headers, name, value, &scratch);
    fray_buf_deinit(&scratch);
    return headers;
}
