#include "wire/websocket_handshake.h"

#include <assert.h>
#include <openssl/evp.h>

#include "wire/base64.h"

void fray_websocket_hash_init(struct fray_websocket_hash *hash)
{
    hash->md = EVP_MD_fetch(NULL, "SHA1", NULL);
    hash->ctx = EVP_MD_CTX_new();
    assert(hash->md && hash->ctx);
}

void fray_websocket_hash_deinit(struct fray_websocket_hash *hash)
{
    EVP_MD_CTX_free(hash->ctx);
    EVP_MD_free(hash->md);
    *hash = (struct fray_websocket_hash){0};
}

void fray_websocket_accept(struct fray_websocket_hash *hash, struct fray_slice key,
                           char out[FRAY_WEBSOCKET_ACCEPT_LEN])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int ok = EVP_DigestInit_ex2(hash->ctx, hash->md, NULL) &&
             EVP_DigestUpdate(hash->ctx, key.data, key.len) &&
             EVP_DigestUpdate(hash->ctx, guid, sizeof guid - 1) &&
             EVP_DigestFinal_ex(hash->ctx, digest, &len);
    assert(ok && fray_base64_encoded_len(len) == FRAY_WEBSOCKET_ACCEPT_LEN);
    fray_base64_encode(out, fray_slice(digest, len));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct fray_slice trim(struct fray_slice text)
{
    while (text.len && is_blank(text.data[0]))
        text = fray_slice_skip(text, 1);
    while (text.len && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

static bool equal_ignoring_case(struct fray_slice a, struct fray_slice b)
{
    for (size_t i = 0; a.len == b.len && i < a.len; i++) {
        unsigned char x = (unsigned char)a.data[i], y = (unsigned char)b.data[i];
        bool letter = (x | 0x20) >= 'a' && (x | 0x20) <= 'z';
        if (x != y && !(letter && (x ^ y) == 0x20))
            return false;
    }
    return a.len == b.len;
}

bool fray_websocket_list_next(struct fray_slice *rest, struct fray_slice *element)
{
    while (rest->len) {
        size_t end = 0;
        for (bool quoted = false; end < rest->len; end++) {
            char c = rest->data[end];
            if (c == '"')
                quoted = !quoted;
            else if (quoted && c == '\\' && end + 1 < rest->len)
                end++;
            else if (!quoted && c == ',')
                break;
        }
        *element = trim(fray_slice(rest->data, end));
        *rest = fray_slice_skip(*rest, end < rest->len ? end + 1 : end);
        if (element->len)
            return true;
    }
    return false;
}

/* Tokens of Upgrade and Connection are case-insensitive (section 4.2.1). */
static bool list_has(struct fray_slice list, struct fray_slice token)
{
    struct fray_slice element;
    while (fray_websocket_list_next(&list, &element))
        if (equal_ignoring_case(element, token))
            return true;
    return false;
}

const struct fray_slice *fray_websocket_protocol_pick(struct fray_slice offered,
                                                      const struct fray_slice *supported,
                                                      size_t count)
{
    struct fray_slice offer;
    while (fray_websocket_list_next(&offered, &offer))
        for (size_t i = 0; i < count; i++)
            if (fray_slice_equal(offer, supported[i]))
                return &supported[i];
    return NULL;
}

/* 16 bytes in base64. */
static bool key_valid(struct fray_slice key)
{
    if (key.len != FRAY_WEBSOCKET_KEY_LEN)
        return false;
    char room[FRAY_WEBSOCKET_KEY_LEN];
    struct fray_buf nonce = {.data = room, .cap = sizeof room}; /* enough: it never grows */
    return !fray_base64_decode(&nonce, key) && nonce.len == FRAY_WEBSOCKET_NONCE_LEN;
}

unsigned fray_websocket_request_check(const struct fray_websocket_request *request)
{
    if (!fray_slice_equal(request->method, FRAY_SLICE("GET")))
        return 405;
    if (request->minor < 1 || !list_has(request->upgrade, FRAY_SLICE("websocket")) ||
        !list_has(request->connection, FRAY_SLICE("upgrade")))
        return 400;
    if (!fray_slice_equal(request->version, FRAY_SLICE("13")))
        return 426;
    return key_valid(request->key) ? 101 : 400;
}

static void append_field(struct fray_buf *out, struct fray_slice name, struct fray_slice value)
{
    if (value.len == 0)
        return;
    fray_buf_append_slice(out, name);
    fray_buf_append_slice(out, value);
    FRAY_BUF_LITERAL(out, "\r\n");
}

void fray_websocket_response_append(struct fray_buf *out, struct fray_websocket_hash *hash,
                                    struct fray_slice key,
                                    const struct fray_websocket_answer *answer)
{
    FRAY_BUF_LITERAL(out, "HTTP/1.1 101 Switching Protocols\r\n"
                          "Upgrade: websocket\r\n"
                          "Connection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: ");
    fray_websocket_accept(hash, key, fray_buf_reserve(out, FRAY_WEBSOCKET_ACCEPT_LEN));
    out->len += FRAY_WEBSOCKET_ACCEPT_LEN;
    FRAY_BUF_LITERAL(out, "\r\n");
    append_field(out, FRAY_SLICE("Sec-WebSocket-Protocol: "), answer->protocol);
    append_field(out, FRAY_SLICE("Sec-WebSocket-Extensions: "), answer->extensions);
    fray_buf_append_slice(out, answer->fields);
    FRAY_BUF_LITERAL(out, "\r\n");
}

void fray_websocket_request_append(struct fray_buf *out, const struct fray_websocket_target *target,
                                   const uint8_t nonce[FRAY_WEBSOCKET_NONCE_LEN],
                                   char key[FRAY_WEBSOCKET_KEY_LEN])
{
    fray_base64_encode(key, fray_slice(nonce, FRAY_WEBSOCKET_NONCE_LEN));
    FRAY_BUF_LITERAL(out, "GET ");
    fray_buf_append_slice(out, target->path);
    FRAY_BUF_LITERAL(out, " HTTP/1.1\r\n");
    append_field(out, FRAY_SLICE("Host: "), target->host);
    FRAY_BUF_LITERAL(out, "Upgrade: websocket\r\n"
                          "Connection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\n");
    append_field(out, FRAY_SLICE("Sec-WebSocket-Key: "), fray_slice(key, FRAY_WEBSOCKET_KEY_LEN));
    append_field(out, FRAY_SLICE("Sec-WebSocket-Protocol: "), target->protocols);
    append_field(out, FRAY_SLICE("Sec-WebSocket-Extensions: "), target->extensions);
    fray_buf_append_slice(out, target->fields);
    FRAY_BUF_LITERAL(out, "\r\n");
}

/* Cuts the next line off, without its CRLF. False if there is no whole one. */
static bool line_next(struct fray_slice *rest, struct fray_slice *line)
{
    const char *end = rest->len ? memmem(rest->data, rest->len, "\r\n", 2) : NULL;
    if (!end)
        return false;
    *line = fray_slice(rest->data, (size_t)(end - rest->data));
    *rest = fray_slice_skip(*rest, line->len + 2);
    return true;
}

/* `HTTP/1.1 101 any words` (RFC 9112 section 4). */
static enum fray_err status_decode(struct fray_slice line, unsigned *status)
{
    struct fray_slice start = FRAY_SLICE("HTTP/1.1 ");
    if (!fray_slice_starts(line, start) || line.len < start.len + 3)
        return FRAY_ERR_SYNTAX;
    line = fray_slice_skip(line, start.len);
    *status = 0;
    for (size_t i = 0; i < 3; i++) {
        if (line.data[i] < '0' || line.data[i] > '9')
            return FRAY_ERR_SYNTAX;
        *status = *status * 10 + (unsigned)(line.data[i] - '0');
    }
    return line.len == 3 || line.data[3] == ' ' ? FRAY_OK : FRAY_ERR_SYNTAX;
}

static enum fray_err field_decode(struct fray_slice line, struct fray_websocket_response *out)
{
    const char *colon = memchr(line.data, ':', line.len);
    if (!colon || colon == line.data || is_blank(line.data[0]))
        return FRAY_ERR_SYNTAX;
    struct fray_slice name = fray_slice(line.data, (size_t)(colon - line.data));
    struct fray_slice value = trim(fray_slice_skip(line, name.len + 1));
    const struct {
        struct fray_slice name;
        struct fray_slice *value;
    } fields[] = {
        {FRAY_SLICE("Upgrade"), &out->upgrade},
        {FRAY_SLICE("Connection"), &out->connection},
        {FRAY_SLICE("Sec-WebSocket-Accept"), &out->accept},
        {FRAY_SLICE("Sec-WebSocket-Protocol"), &out->protocol},
        {FRAY_SLICE("Sec-WebSocket-Extensions"), &out->extensions},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!equal_ignoring_case(name, fields[i].name))
            continue;
        if (fields[i].value->data)
            return FRAY_ERR_SYNTAX;
        *fields[i].value = value;
    }
    return FRAY_OK;
}

enum fray_err fray_websocket_response_decode(struct fray_slice in,
                                             struct fray_websocket_response *out)
{
    *out = (struct fray_websocket_response){0};
    const char *end = in.len ? memmem(in.data, in.len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return FRAY_ERR_AGAIN;
    out->len = (size_t)(end - in.data) + 4;
    struct fray_slice rest = fray_slice(in.data, out->len - 2), line = {0};
    bool has_line = line_next(&rest, &line);
    enum fray_err err = has_line ? status_decode(line, &out->status) : FRAY_ERR_SYNTAX;
    while (!err && line_next(&rest, &line))
        err = field_decode(line, out);
    return err;
}

enum fray_err fray_websocket_response_check(const struct fray_websocket_response *response,
                                            struct fray_websocket_hash *hash, struct fray_slice key,
                                            struct fray_slice protocols_offered)
{
    if (response->status != 101)
        return FRAY_ERR_DENIED;
    char accept[FRAY_WEBSOCKET_ACCEPT_LEN];
    fray_websocket_accept(hash, key, accept);
    if (!equal_ignoring_case(response->upgrade, FRAY_SLICE("websocket")) ||
        !list_has(response->connection, FRAY_SLICE("upgrade")) ||
        !fray_slice_equal(response->accept, fray_slice(accept, sizeof accept)))
        return FRAY_ERR_SYNTAX;
    if (response->protocol.data &&
        !fray_websocket_protocol_pick(protocols_offered, &response->protocol, 1))
        return FRAY_ERR_SYNTAX;
    return FRAY_OK;
}
