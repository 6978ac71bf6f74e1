#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { IP_TEXT_MAX = INET6_ADDRSTRLEN, MAPPED_PREFIX = 12 };

static const uint8_t v4_mapped[MAPPED_PREFIX] = {[10] = 0xff, [11] = 0xff};
static const uint8_t v4_loopback[4] = {127, 0, 0, 1};

void fray_address_set_v4(struct fray_address *address, const uint8_t ip[4], uint16_t port)
{
    *address = (struct fray_address){.port = port, .is_v4 = true};
    memcpy(address->ip, v4_mapped, MAPPED_PREFIX);
    memcpy(address->ip + MAPPED_PREFIX, ip, 4);
}

void fray_address_set_v6(struct fray_address *address, const uint8_t ip[16], uint16_t port)
{
    *address = (struct fray_address){.port = port};
    memcpy(address->ip, ip, sizeof address->ip);
    address->is_v4 = memcmp(ip, v4_mapped, MAPPED_PREFIX) == 0;
}

static enum fray_err parse_port(uint16_t *port, struct fray_slice text)
{
    if (text.len == 0 || text.len > 5)
        return FRAY_ERR_SYNTAX;
    unsigned value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return FRAY_ERR_SYNTAX;
        value = value * 10 + (unsigned)(text.data[i] - '0');
    }
    if (value > UINT16_MAX)
        return FRAY_ERR_SYNTAX;
    *port = (uint16_t)value;
    return FRAY_OK;
}

/* inet_pton on a slice; its grammar knows no NUL, so neither may the slice. */
static enum fray_err parse_ip(int family, uint8_t *ip, struct fray_slice text)
{
    char copy[IP_TEXT_MAX];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, '\0', text.len))
        return FRAY_ERR_SYNTAX;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return inet_pton(family, copy, ip) == 1 ? FRAY_OK : FRAY_ERR_SYNTAX;
}

static enum fray_err parse_v6(struct fray_address *address, struct fray_slice host, uint16_t port)
{
    if (host.len < 2 || host.data[host.len - 1] != ']')
        return FRAY_ERR_SYNTAX;
    uint8_t ip[16];
    enum fray_err err = parse_ip(AF_INET6, ip, fray_slice(host.data + 1, host.len - 2));
    if (!err)
        fray_address_set_v6(address, ip, port);
    return err;
}

static enum fray_err parse_v4(struct fray_address *address, struct fray_slice host, uint16_t port)
{
    uint8_t ip[4] = {0}; /* all addresses */
    if (!host.data || fray_slice_equal(host, FRAY_SLICE("localhost"))) {
        memcpy(ip, v4_loopback, sizeof ip);
    } else if (host.len > 0) {
        enum fray_err err = parse_ip(AF_INET, ip, host);
        if (err)
            return err;
    }
    fray_address_set_v4(address, ip, port);
    return FRAY_OK;
}

enum fray_err fray_address_parse(struct fray_address *address, struct fray_slice text)
{
    if (text.len == 0)
        return FRAY_ERR_SYNTAX;
    size_t host_len = text.len;
    while (host_len > 0 && text.data[host_len - 1] != ':')
        host_len--;
    uint16_t port;
    enum fray_err err = parse_port(&port, fray_slice_skip(text, host_len));
    if (err)
        return err;
    struct fray_slice host = {0}; /* a port alone is open to nobody else */
    if (host_len)
        host = fray_slice(text.data, host_len - 1);
    if (host.len > 0 && host.data[0] == '[')
        return parse_v6(address, host, port);
    return parse_v4(address, host, port);
}

char *fray_address_format_ip(const struct fray_address *address, char text[FRAY_ADDRESS_TEXT_MAX])
{
    if (address->is_v4)
        inet_ntop(AF_INET, address->ip + MAPPED_PREFIX, text, FRAY_ADDRESS_TEXT_MAX);
    else
        inet_ntop(AF_INET6, address->ip, text, FRAY_ADDRESS_TEXT_MAX);
    return text;
}

char *fray_address_format(const struct fray_address *address, char text[FRAY_ADDRESS_TEXT_MAX])
{
    char ip[FRAY_ADDRESS_TEXT_MAX];
    fray_address_format_ip(address, ip);
    snprintf(text, FRAY_ADDRESS_TEXT_MAX, address->is_v4 ? "%.46s:%u" : "[%.46s]:%u", ip,
             (unsigned)address->port);
    return text;
}
