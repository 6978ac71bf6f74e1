#include "client/url.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"

static void take(struct fray_address *address, const struct addrinfo *found)
{
    if (found->ai_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)found->ai_addr;
        fray_address_set_v4(address, (const uint8_t *)&v4->sin_addr, ntohs(v4->sin_port));
    } else {
        const struct sockaddr_in6 *v6 = (const void *)found->ai_addr;
        fray_address_set_v6(address, v6->sin6_addr.s6_addr, ntohs(v6->sin6_port));
    }
}

/* All of them: localhost is ::1 first where a server may listen on 127.0.0.1 alone. */
static bool look_up(struct fray_client_url *url, const char *name, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *first;
    if (getaddrinfo(name, port, &hints, &first))
        return false;
    const struct addrinfo *found = first;
    for (; found && url->addresses_count < FRAY_CLIENT_ADDRESSES_MAX; found = found->ai_next)
        take(&url->addresses[url->addresses_count++], found);
    freeaddrinfo(first);
    return true;
}

/* "name:port", "[v6]:port", or without a port. */
static bool look_up_host(struct fray_client_url *url)
{
    const char *host = url->host;
    bool is_bracketed = host[0] == '[';
    const char *end = is_bracketed ? strchr(host, ']') : strrchr(host, ':');
    const char *colon = is_bracketed && end ? strchr(end, ':') : end;
    size_t len = end ? (size_t)(end - host) : strlen(host);
    if (len <= is_bracketed)
        return false;
    url->name = fray_strndup(host + is_bracketed, len - is_bracketed);
    return look_up(url, url->name, colon ? colon + 1 : url->is_tls ? "443" : "80");
}

bool fray_client_url_find(struct fray_client_url *url, const char *text)
{
    *url = (struct fray_client_url){.is_tls = strncmp(text, "wss://", 6) == 0};
    if (!url->is_tls && strncmp(text, "ws://", 5) != 0)
        return false;
    const char *host = text + (url->is_tls ? 6 : 5);
    size_t len = strcspn(host, "/?#");
    if (!len)
        return false;
    size_t path_len = strcspn(host + len, "?#");
    while (path_len && host[len + path_len - 1] == '/')
        path_len--;
    url->host = fray_strndup(host, len);
    url->path = fray_strndup(host + len, path_len);
    return look_up_host(url);
}

void fray_client_url_deinit(struct fray_client_url *url)
{
    free(url->host);
    free(url->path);
    free(url->name);
}

void fray_client_url_append(struct fray_buf *query, const char *name, const char *value)
{
    if (!value)
        return;
    fray_buf_printf(query, "&%s=", name);
    for (; *value; value++) {
        bool is_plain = (*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z') ||
                        (*value >= '0' && *value <= '9') || strchr("-._~", *value);
        fray_buf_printf(query, is_plain ? "%c" : "%%%02X", (unsigned char)*value);
    }
}
