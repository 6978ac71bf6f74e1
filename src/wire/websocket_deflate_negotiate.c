/* The negotiation of permessage-deflate: RFC 7692 section 7.1, grammar of RFC 6455 section 9.1. */
#include "wire/websocket_deflate.h"
#include "wire/websocket_handshake.h"

enum { BITS_MAX = 15 };

/* The parameters, as bits of extension.has. */
enum {
    SERVER_NO_TAKEOVER = 1,
    CLIENT_NO_TAKEOVER = 2,
    SERVER_BITS = 4,
    CLIENT_BITS = 8,
};

/* One extension of an offer or an answer. */
struct extension {
    bool ours;  /* named permessage-deflate */
    bool valid; /* if ours: known parameters, none twice, values of their range */
    uint8_t has;
    uint8_t server_bits; /* BITS_MAX if not given */
    uint8_t client_bits; /* 0 if given without a value */
};

struct fray_websocket_deflate_config fray_websocket_deflate_config_default(void)
{
    return (struct fray_websocket_deflate_config){
        .threshold = 1024,
        .server_window_bits = BITS_MAX,
        .client_window_bits = BITS_MAX,
        .level = 1,
        .memory_level = 8,
    };
}

static bool is_token_char(char c)
{
    return c > ' ' && c < 0x7F && !strchr("()<>@,;:\\\"/[]?={}", c);
}

static void skip_blanks(struct fray_slice *rest)
{
    while (rest->len && (rest->data[0] == ' ' || rest->data[0] == '\t'))
        *rest = fray_slice_skip(*rest, 1);
}

static bool take_char(struct fray_slice *rest, char c)
{
    skip_blanks(rest);
    if (rest->len == 0 || rest->data[0] != c)
        return false;
    *rest = fray_slice_skip(*rest, 1);
    return true;
}

static bool take_token(struct fray_slice *rest, struct fray_slice *token)
{
    skip_blanks(rest);
    size_t len = 0;
    while (len < rest->len && is_token_char(rest->data[len]))
        len++;
    *token = fray_slice(rest->data, len);
    *rest = fray_slice_skip(*rest, len);
    return len > 0;
}

/* A token, or a quoted string that holds one. (Escapes are of no use to a token; none is taken.) */
static bool take_value(struct fray_slice *rest, struct fray_slice *value)
{
    bool quoted = take_char(rest, '"');
    if (!take_token(rest, value))
        return false;
    if (!quoted)
        return true;
    bool ends = rest->len && rest->data[0] == '"';
    if (ends)
        *rest = fray_slice_skip(*rest, 1);
    return ends;
}

/* 8 to 15 in decimal without leading zeros (section 7.1.2); 0 for anything else. */
static uint8_t bits_decode(struct fray_slice value)
{
    if (value.len == 1 && (value.data[0] == '8' || value.data[0] == '9'))
        return (uint8_t)(value.data[0] - '0');
    if (value.len == 2 && value.data[0] == '1' && value.data[1] >= '0' && value.data[1] <= '5')
        return (uint8_t)(10 + value.data[1] - '0');
    return 0;
}

/* Notes a parameter; `value` has no data where none was given. False if it makes no sense. */
static bool param_apply(struct extension *extension, struct fray_slice name,
                        struct fray_slice value)
{
    static const struct {
        struct fray_slice name;
        uint8_t bit;
    } params[] = {
        {{"server_no_context_takeover", 26}, SERVER_NO_TAKEOVER},
        {{"client_no_context_takeover", 26}, CLIENT_NO_TAKEOVER},
        {{"server_max_window_bits", 22}, SERVER_BITS},
        {{"client_max_window_bits", 22}, CLIENT_BITS},
    };
    uint8_t bit = 0;
    for (size_t i = 0; i < sizeof params / sizeof *params; i++)
        if (fray_slice_equal(name, params[i].name))
            bit = params[i].bit;
    if (!bit || extension->has & bit)
        return false;
    extension->has |= bit;
    if (bit <= CLIENT_NO_TAKEOVER)
        return !value.data;
    uint8_t bits = bits_decode(value);
    if (bit == SERVER_BITS)
        extension->server_bits = bits;
    else
        extension->client_bits = bits;
    return bits || (bit == CLIENT_BITS && !value.data);
}

/* extension = token *( ";" token [ "=" ( token | quoted-string ) ] ). False: not of the grammar. */
static bool extension_decode(struct fray_slice rest, struct extension *extension)
{
    *extension = (struct extension){.server_bits = BITS_MAX, .client_bits = BITS_MAX};
    struct fray_slice name;
    if (!take_token(&rest, &name))
        return false;
    extension->ours = fray_slice_equal(name, FRAY_SLICE("permessage-deflate"));
    extension->valid = extension->ours;
    while (take_char(&rest, ';')) {
        struct fray_slice value = {0};
        if (!take_token(&rest, &name) || (take_char(&rest, '=') && !take_value(&rest, &value)))
            return false;
        if (extension->valid)
            extension->valid = param_apply(extension, name, value);
    }
    skip_blanks(&rest);
    return rest.len == 0;
}

static uint8_t least(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

static void append_bits(struct fray_buf *out, struct fray_slice name, uint8_t bits)
{
    fray_buf_append_slice(out, name);
    fray_buf_append_uint(out, bits);
}

static void answer_append(struct fray_buf *out, const struct extension *offer,
                          const struct fray_websocket_deflate *deflate)
{
    FRAY_BUF_LITERAL(out, "permessage-deflate");
    if (!deflate->send_takeover)
        FRAY_BUF_LITERAL(out, "; server_no_context_takeover");
    if (!deflate->receive_takeover)
        FRAY_BUF_LITERAL(out, "; client_no_context_takeover");
    if (offer->has & SERVER_BITS)
        append_bits(out, FRAY_SLICE("; server_max_window_bits="), deflate->send_bits);
    if (offer->has & CLIENT_BITS && deflate->receive_bits < BITS_MAX)
        append_bits(out, FRAY_SLICE("; client_max_window_bits="), deflate->receive_bits);
}

enum fray_err fray_websocket_deflate_accept(const struct fray_websocket_deflate_config *config,
                                            struct fray_slice offers,
                                            struct fray_websocket_deflate *deflate,
                                            struct fray_buf *answer)
{
    struct extension chosen = {0};
    struct fray_slice element;
    while (fray_websocket_list_next(&offers, &element)) {
        struct extension offer;
        if (!extension_decode(element, &offer))
            return FRAY_ERR_SYNTAX;
        if (offer.valid && !chosen.valid)
            chosen = offer;
    }
    if (!chosen.valid)
        return FRAY_ERR_NOT_FOUND;
    *deflate = (struct fray_websocket_deflate){
        .send_takeover = config->server_takeover && !(chosen.has & SERVER_NO_TAKEOVER),
        .receive_takeover = config->client_takeover && !(chosen.has & CLIENT_NO_TAKEOVER),
        .send_bits = least(config->server_window_bits, chosen.server_bits),
        .receive_bits = BITS_MAX,
    };
    /* Only a client that said it can may be asked for a smaller window (section 7.1.2.2). */
    if (chosen.has & CLIENT_BITS)
        deflate->receive_bits =
            least(config->client_window_bits, chosen.client_bits ? chosen.client_bits : BITS_MAX);
    answer_append(answer, &chosen, deflate);
    return FRAY_OK;
}

void fray_websocket_deflate_offer(const struct fray_websocket_deflate_config *config,
                                  struct fray_buf *out)
{
    FRAY_BUF_LITERAL(out, "permessage-deflate");
    if (!config->server_takeover)
        FRAY_BUF_LITERAL(out, "; server_no_context_takeover");
    if (!config->client_takeover)
        FRAY_BUF_LITERAL(out, "; client_no_context_takeover");
    if (config->server_window_bits < BITS_MAX)
        append_bits(out, FRAY_SLICE("; server_max_window_bits="), config->server_window_bits);
    FRAY_BUF_LITERAL(out, "; client_max_window_bits");
    if (config->client_window_bits < BITS_MAX)
        append_bits(out, FRAY_SLICE("="), config->client_window_bits);
}

enum fray_err fray_websocket_deflate_confirm(const struct fray_websocket_deflate_config *config,
                                             struct fray_slice answer,
                                             struct fray_websocket_deflate *deflate)
{
    struct fray_slice element, more;
    if (!fray_websocket_list_next(&answer, &element))
        return FRAY_ERR_NOT_FOUND;
    struct extension agreed;
    if (fray_websocket_list_next(&answer, &more) || !extension_decode(element, &agreed) ||
        !agreed.valid || !agreed.client_bits)
        return FRAY_ERR_SYNTAX;
    if (!config->server_takeover && !(agreed.has & SERVER_NO_TAKEOVER))
        return FRAY_ERR_SYNTAX;
    if (agreed.server_bits > config->server_window_bits)
        return FRAY_ERR_SYNTAX;
    *deflate = (struct fray_websocket_deflate){
        .send_takeover = config->client_takeover && !(agreed.has & CLIENT_NO_TAKEOVER),
        .receive_takeover = !(agreed.has & SERVER_NO_TAKEOVER),
        .send_bits = least(config->client_window_bits, agreed.client_bits),
        .receive_bits = agreed.server_bits,
    };
    return FRAY_OK;
}
