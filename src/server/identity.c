/* Where tokens are looked for, and what namespaces ask (room/namespace.h, identify). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "server/server.h"
#include "wire/url.h"

enum { KEY_FILE_MAX = 64 * 1024 };

/* ------------------------------------------------------------------ where the token is */

/* RFC 6750 2.1: "Bearer" in any case, one blank or more, the token. */
struct fray_slice fray_server_bearer(struct fray_slice authorization)
{
    struct fray_slice scheme = FRAY_SLICE("bearer ");
    if (authorization.len <= scheme.len ||
        !fray_http_equal(fray_slice(authorization.data, scheme.len), scheme))
        return (struct fray_slice){0};
    authorization = fray_slice_skip(authorization, scheme.len);
    while (authorization.len && authorization.data[0] == ' ')
        authorization = fray_slice_skip(authorization, 1);
    return authorization;
}

/* From the auth payload, else the Authorization header, else the query of the request. */
static void find_token(const json_t *auth, const struct fray_handshake *handshake,
                       struct fray_buf *token)
{
    const json_t *given = json_object_get(auth, "token");
    if (json_is_string(given)) {
        fray_buf_append(token, json_string_value(given), json_string_length(given));
        return;
    }
    struct fray_http_request head;
    struct fray_http_limits limits = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    struct fray_buf scratch = {0};
    struct fray_slice found;
    size_t consumed;
    fray_http_request_init(&head);
    if (!handshake ||
        fray_http_request_parse(&head, fray_slice(handshake->head, handshake->head_len), &limits,
                                &consumed))
        return;
    found = fray_server_bearer(fray_http_request_header(&head, FRAY_HTTP_HEADER_AUTHORIZATION));
    if (!found.len &&
        fray_url_query_find(fray_http_request_query(&head), "token", &scratch, &found))
        found = (struct fray_slice){0};
    fray_buf_append_slice(token, found);
    fray_buf_deinit(&scratch);
}

enum fray_err fray_server_identify(void *context, const json_t *auth,
                                   const struct fray_handshake *handshake,
                                   struct fray_identified *identified)
{
    const fray_server *server = context;
    struct fray_buf token = {0};
    find_token(auth, handshake, &token);
    enum fray_err err = fray_jwt_verify(server->jwt, fray_buf_slice(&token), (int64_t)time(NULL),
                                        &identified->claims, &identified->reason);
    fray_buf_deinit(&token);
    return err;
}

int64_t fray_server_unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------ setting up */

static enum fray_err read_file(const char *path, struct fray_buf *text)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return FRAY_ERR_IO;
    size_t len = fread(fray_buf_reserve(text, KEY_FILE_MAX), 1, KEY_FILE_MAX - 1, file);
    enum fray_err err = ferror(file) ? FRAY_ERR_IO : FRAY_OK;
    fclose(file);
    text->len = len;
    fray_buf_append_byte(text, '\0');
    return err;
}

enum fray_err fray_server_identity_init(fray_server *server)
{
    const struct fray_config *config = &server->config;
    struct fray_buf pem = {0};
    const char *error = NULL;
    if (config->auth != FRAY_CONFIG_AUTH_JWT)
        return FRAY_OK;
    if (*config->jwt_public_key && read_file(config->jwt_public_key, &pem)) {
        fray_buf_deinit(&pem);
        return fray_server_fail(server, FRAY_ERR_CONFIG, "jwt_public_key: %s cannot be read: %s.",
                                config->jwt_public_key, strerror(errno));
    }
    server->jwt =
        fray_jwt_verifier_create(&(struct fray_jwt_options){.secret = config->jwt_secret,
                                                            .public_key_pem = pem.data,
                                                            .audience = config->jwt_audience,
                                                            .issuer = config->jwt_issuer},
                                 &error);
    fray_buf_deinit(&pem);
    if (server->jwt)
        return FRAY_OK;
    return fray_server_fail(server, FRAY_ERR_CONFIG, "jwt_public_key: %s %s.",
                            config->jwt_public_key, error);
}
