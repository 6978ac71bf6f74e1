/* A TCP address: IPv4 or IPv6 with a port. Plain data, copied freely. Pure. */
#ifndef FRAY_NET_ADDRESS_H
#define FRAY_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "fray/err.h"

struct fray_address {
    uint8_t ip[16]; /* IPv6, or IPv4 mapped (::ffff:a.b.c.d), network order */
    uint16_t port;  /* host order */
    bool is_v4;     /* the address is a mapped one: bound and shown as IPv4 */
};

enum { FRAY_ADDRESS_TEXT_MAX = 56 }; /* "[v6]:port" and its end */

/* Reads "127.0.0.1:8080", "[::1]:8080", "localhost:8080" and "8080" (127.0.0.1), ":8080" (all
 * IPv4 addresses). No name look-up besides localhost. FRAY_ERR_SYNTAX; `address` is written on
 * success only. */
FRAY_MUST_CHECK enum fray_err fray_address_parse(struct fray_address *address,
                                                 struct fray_slice text);

/* From the bytes of a socket address, in network order. A mapped IPv6 address is an IPv4 one. */
void fray_address_set_v4(struct fray_address *address, const uint8_t ip[4], uint16_t port);
void fray_address_set_v6(struct fray_address *address, const uint8_t ip[16], uint16_t port);

/* Writes "a.b.c.d:port" or "[v6]:port"; returns `text`. */
char *fray_address_format(const struct fray_address *address, char text[FRAY_ADDRESS_TEXT_MAX]);
/* The same without port and brackets. */
char *fray_address_format_ip(const struct fray_address *address, char text[FRAY_ADDRESS_TEXT_MAX]);

#endif
