#include "wire/http_encoding.h"

enum { WEIGHT_LEAST = 1, WEIGHT_FULL = 1000, WEIGHT_UNSET = UINT16_MAX };

static const char *const names[FRAY_HTTP_ENCODING_COUNT] = {
    [FRAY_HTTP_ENCODING_BR] = "br",
    [FRAY_HTTP_ENCODING_GZIP] = "gzip",
    [FRAY_HTTP_ENCODING_DEFLATE] = "deflate",
    [FRAY_HTTP_ENCODING_IDENTITY] = "identity",
};

const char *fray_http_encoding_name(enum fray_http_encoding encoding)
{
    return encoding < FRAY_HTTP_ENCODING_COUNT ? names[encoding] : "";
}

/* qvalue = "0" [ "." *3DIGIT ] / "1" [ "." *3"0" ] (RFC 9110 12.4.2), in thousandths. */
static bool read_qvalue(struct fray_slice text, uint16_t *weight)
{
    if (text.len == 0 || text.len > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.len > 1 && text.data[1] != '.'))
        return false;
    unsigned sum = (unsigned)(text.data[0] - '0') * WEIGHT_FULL;
    for (size_t at = 2, unit = WEIGHT_FULL / 10; at < text.len; at++, unit /= 10) {
        unsigned digit = (unsigned)(text.data[at] - '0');
        if (digit > 9)
            return false;
        sum += digit * (unsigned)unit;
    }
    *weight = (uint16_t)sum;
    return sum <= WEIGHT_FULL;
}

/* codings [ OWS ";" OWS "q=" qvalue ] */
static bool read_element(struct fray_slice element, struct fray_slice *coding, uint16_t *weight)
{
    const char *semicolon = memchr(element.data, ';', element.len);
    *weight = WEIGHT_FULL;
    *coding = element;
    if (!semicolon)
        return true;
    coding->len = (size_t)(semicolon - element.data);
    struct fray_slice parameter = fray_http_trim(fray_slice_skip(element, coding->len + 1));
    *coding = fray_http_trim(*coding);
    return parameter.len > 2 && (parameter.data[0] == 'q' || parameter.data[0] == 'Q') &&
           parameter.data[1] == '=' && read_qvalue(fray_slice_skip(parameter, 2), weight);
}

static enum fray_http_encoding lookup(struct fray_slice coding)
{
    if (fray_http_equal(coding, FRAY_SLICE("x-gzip"))) /* RFC 9110 8.4.1.3 */
        return FRAY_HTTP_ENCODING_GZIP;
    unsigned encoding = 0;
    while (encoding < FRAY_HTTP_ENCODING_COUNT &&
           !fray_http_equal(coding, fray_slice_of(names[encoding])))
        encoding++;
    return (enum fray_http_encoding)encoding;
}

void fray_http_encodings_read(struct fray_http_encodings *out,
                              const struct fray_http_request *request)
{
    uint16_t others = WEIGHT_UNSET; /* the weight of "*" */
    for (unsigned at = 0; at < FRAY_HTTP_ENCODING_COUNT; at++)
        out->weight[at] = WEIGHT_UNSET;

    struct fray_slice list, element, coding;
    for (size_t cursor = 0;
         fray_http_request_next(request, FRAY_HTTP_HEADER_ACCEPT_ENCODING, &cursor, &list);) {
        while (fray_http_list_next(&list, &element)) {
            uint16_t weight;
            if (!read_element(element, &coding, &weight))
                continue;
            enum fray_http_encoding encoding = lookup(coding);
            if (encoding < FRAY_HTTP_ENCODING_COUNT)
                out->weight[encoding] = weight;
            else if (fray_slice_equal(coding, FRAY_SLICE("*")))
                others = weight;
        }
    }
    /* identity is acceptable unless it, or "*" without it, weighs 0 (RFC 9110 12.5.3); unnamed, it
     * is the last resort. */
    if (out->weight[FRAY_HTTP_ENCODING_IDENTITY] == WEIGHT_UNSET && others != 0)
        out->weight[FRAY_HTTP_ENCODING_IDENTITY] = WEIGHT_LEAST;
    for (unsigned at = 0; at < FRAY_HTTP_ENCODING_COUNT; at++)
        if (out->weight[at] == WEIGHT_UNSET)
            out->weight[at] = others == WEIGHT_UNSET ? 0 : others;
}

enum fray_http_encoding fray_http_encodings_choose(const struct fray_http_encodings *accepted,
                                                   unsigned offered)
{
    enum fray_http_encoding best = FRAY_HTTP_ENCODING_COUNT;
    uint16_t best_weight = 0;
    for (unsigned at = 0; at < FRAY_HTTP_ENCODING_COUNT; at++) {
        if (offered >> at & 1 && accepted->weight[at] > best_weight) {
            best = (enum fray_http_encoding)at;
            best_weight = accepted->weight[at];
        }
    }
    return best;
}
