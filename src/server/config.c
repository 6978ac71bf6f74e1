#include "server/config.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/address.h"

const struct fray_option fray_options[FRAY_OPTION_COUNT] = {
#define OPTION(section, kind, name, value, least, most, choices, help)                             \
    {#name, #section,          value, choices, help, offsetof(struct fray_config, name), least,    \
     most,  FRAY_OPTION_##kind},
#include "server/config.def"
};

/* CHOICE values are used as these enums. */
_Static_assert(FRAY_LOG_DEBUG == 0 && FRAY_LOG_INFO == 1 && FRAY_LOG_WARN == 2 &&
                   FRAY_LOG_ERROR == 3,
               "the words of log_level");
_Static_assert(FRAY_LOG_TEXT == 0 && FRAY_LOG_JSON == 1, "the words of log_format");

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const struct unit size_units[] = {
    {"G", 1U << 30}, {"M", 1U << 20}, {"K", 1U << 10}, {NULL, 0}};
static const struct unit no_units[] = {{NULL, 0}};

static const struct unit *units_of(const struct fray_option *option)
{
    switch (option->kind) {
    case FRAY_OPTION_DURATION: return duration_units;
    case FRAY_OPTION_SIZE: return size_units;
    default: return no_units;
    }
}

static bool equals_word(struct fray_slice text, const char *word)
{
    return strlen(word) == text.len && strncasecmp(text.data, word, text.len) == 0;
}

static bool parse_number(const struct fray_option *option, struct fray_slice text, uint64_t *number)
{
    uint64_t value = 0;
    size_t digits = 0;
    for (; digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9'; digits++) {
        if (value > option->most)
            return false; /* and no overflow: most is far below UINT64_MAX / 10 */
        value = value * 10 + (uint64_t)(text.data[digits] - '0');
    }
    if (digits == 0)
        return false;
    if (digits < text.len) {
        const struct unit *unit = units_of(option);
        while (unit->name && !equals_word(fray_slice_skip(text, digits), unit->name))
            unit++;
        if (!unit->name || value > option->most / unit->factor)
            return false;
        value *= unit->factor;
    }
    *number = value;
    return value >= option->least && value <= option->most;
}

static bool parse_bool(struct fray_slice text, bool *value)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"no", "yes"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (int truth = 0; truth < 2; truth++) {
            if (equals_word(text, words[i][truth])) {
                *value = truth;
                return true;
            }
        }
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the next item off `rest`, without blanks around it. False when there is none left. */
static bool next_item(struct fray_slice *rest, char separator, struct fray_slice *item)
{
    if (!rest->data)
        return false;
    const char *end = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
    *item = fray_slice(rest->data, end ? (size_t)(end - rest->data) : rest->len);
    *rest = end ? fray_slice_skip(*rest, item->len + 1) : (struct fray_slice){0};
    while (item->len && is_blank(item->data[0]))
        *item = fray_slice_skip(*item, 1);
    while (item->len && is_blank(item->data[item->len - 1]))
        item->len--;
    return true;
}

static bool parse_word(const struct fray_option *option, struct fray_slice text, uint32_t *position)
{
    struct fray_slice rest = fray_slice_of(option->choices), word;
    for (*position = 0; next_item(&rest, '|', &word); ++*position) {
        if (fray_slice_equal(word, text))
            return true;
    }
    return false;
}

static bool parse_set(const struct fray_option *option, struct fray_slice text, uint32_t *set)
{
    struct fray_slice item;
    *set = 0;
    while (next_item(&text, ',', &item)) {
        uint32_t position;
        if (!parse_word(option, item, &position))
            return false;
        *set |= 1U << position;
    }
    return *set != 0;
}

static void list_clear(struct fray_config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct fray_config_list){0};
}

static void list_append(struct fray_config_list *list, struct fray_slice text)
{
    struct fray_slice item;
    while (next_item(&text, ',', &item)) {
        if (item.len == 0)
            continue; /* "" is the empty list, and a last comma does no harm */
        list->items = fray_realloc(list->items, (list->count + 1) * sizeof *list->items);
        list->items[list->count++] = fray_strndup(item.data, item.len);
    }
}

static bool assign(struct fray_config *config, const struct fray_option *option,
                   struct fray_slice text)
{
    void *field = (char *)config + option->offset;
    uint64_t number;
    switch (option->kind) {
    case FRAY_OPTION_INT:
    case FRAY_OPTION_DURATION:
        if (!parse_number(option, text, &number))
            return false;
        *(uint32_t *)field = (uint32_t)number;
        return true;
    case FRAY_OPTION_SIZE:
        if (!parse_number(option, text, &number))
            return false;
        *(size_t *)field = (size_t)number;
        return true;
    case FRAY_OPTION_BOOL: return parse_bool(text, field);
    case FRAY_OPTION_STRING:
    case FRAY_OPTION_PATH:
        free(*(char **)field);
        *(char **)field = fray_strndup(text.data, text.len);
        return true;
    case FRAY_OPTION_LIST: list_append(field, text); return true;
    case FRAY_OPTION_CHOICE:
    case FRAY_OPTION_SET: {
        uint32_t value;
        bool ok = option->kind == FRAY_OPTION_SET ? parse_set(option, text, &value)
                                                  : parse_word(option, text, &value);
        if (ok)
            *(uint32_t *)field = value;
        return ok;
    }
    }
    return false;
}

static bool is_printable(struct fray_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == '\x7f')
            return false;
    }
    return true;
}

enum fray_err fray_option_add(struct fray_config *config, const struct fray_option *option,
                              struct fray_slice text, struct fray_buf *error)
{
    if (is_printable(text) && assign(config, option, text))
        return FRAY_OK;
    FRAY_BUF_LITERAL(error, "was given \"");
    fray_buf_append_slice(error, text);
    FRAY_BUF_LITERAL(error, "\", allowed is ");
    fray_option_describe(option, error);
    return FRAY_ERR_CONFIG;
}

enum fray_err fray_option_set(struct fray_config *config, const struct fray_option *option,
                              struct fray_slice text, struct fray_buf *error)
{
    if (option->kind == FRAY_OPTION_LIST)
        list_clear((struct fray_config_list *)((char *)config + option->offset));
    return fray_option_add(config, option, text, error);
}

enum fray_err fray_config_set(struct fray_config *config, struct fray_slice name,
                              struct fray_slice text, struct fray_buf *error)
{
    const struct fray_option *option = fray_option_find(name);
    if (!option) {
        fray_config_explain_unknown(name, "", error);
        return FRAY_ERR_CONFIG;
    }
    size_t before = error->len;
    fray_buf_printf(error, "%s ", option->name);
    enum fray_err err = fray_option_set(config, option, text, error);
    if (err)
        fray_buf_append_byte(error, '.');
    else
        error->len = before;
    return err;
}

static enum fray_err check_listen(const struct fray_config_list *list, struct fray_buf *error)
{
    for (size_t i = 0; i < list->count; i++) {
        struct fray_address address;
        if (fray_address_parse(&address, fray_slice_of(list->items[i]))) {
            fray_buf_printf(error,
                            "listen was given \"%s\", allowed is ADDRESS:PORT or [IPv6]:PORT.",
                            list->items[i]);
            return FRAY_ERR_CONFIG;
        }
    }
    return FRAY_OK;
}

static bool has_any_origin(const struct fray_config_list *origins)
{
    for (size_t i = 0; i < origins->count; i++) {
        if (strcmp(origins->items[i], "*") == 0)
            return true;
    }
    return false;
}

enum fray_err fray_config_check(const struct fray_config *config, struct fray_buf *error)
{
    if (!config->tls_cert[0] != !config->tls_key[0])
        FRAY_BUF_LITERAL(error, "tls_cert and tls_key go together: give both or neither.");
    else if (config->tls_self_signed && config->tls_cert[0])
        FRAY_BUF_LITERAL(error, "tls_self_signed and tls_cert exclude each other: give one.");
    else if (config->auth && !config->jwt_secret[0] && !config->jwt_public_key[0])
        FRAY_BUF_LITERAL(error, "auth = jwt needs jwt_secret or jwt_public_key.");
    else if (config->jwt_secret[0] && strlen(config->jwt_secret) < 32)
        FRAY_BUF_LITERAL(error, "jwt_secret has fewer than 32 bytes: take a longer one.");
    else if (config->cors_credentials && has_any_origin(&config->cors_origin))
        FRAY_BUF_LITERAL(error, "cors_credentials needs origins by name: browsers send no cookies "
                                "where cors_origin is *.");
    else if (config->admin_token[0] && strlen(config->admin_token) < 16)
        FRAY_BUF_LITERAL(error, "admin_token has fewer than 16 bytes: take a longer one.");
    else if (config->path[0] != '/')
        fray_buf_printf(error, "path was given \"%s\", allowed is a URL path that begins with /.",
                        config->path);
    else if (config->listen.count == 0)
        FRAY_BUF_LITERAL(error, "listen was given no address, allowed is at least one.");
    else
        return check_listen(&config->listen, error);
    return FRAY_ERR_CONFIG;
}

void fray_config_init_default(struct fray_config *config)
{
    *config = (struct fray_config){0};
    struct fray_buf error = {0};
    for (size_t i = 0; i < FRAY_OPTION_COUNT; i++) {
        const struct fray_option *option = &fray_options[i];
        enum fray_err err = fray_option_set(config, option, fray_slice_of(option->value), &error);
        assert(!err); /* a wrong row in config.def */
        (void)err;
    }
    fray_buf_deinit(&error);
}

void fray_config_deinit(struct fray_config *config)
{
    for (size_t i = 0; i < FRAY_OPTION_COUNT; i++) {
        void *field = (char *)config + fray_options[i].offset;
        enum fray_option_kind kind = fray_options[i].kind;
        if (kind == FRAY_OPTION_LIST)
            list_clear(field);
        else if (kind == FRAY_OPTION_STRING || kind == FRAY_OPTION_PATH)
            free(*(char **)field);
    }
    *config = (struct fray_config){0};
}

static char name_char(char c)
{
    return c == '-' ? '_' : c;
}

const struct fray_option *fray_option_find(struct fray_slice name)
{
    for (size_t i = 0; i < FRAY_OPTION_COUNT; i++) {
        const char *own = fray_options[i].name;
        size_t at = 0;
        while (at < name.len && own[at] && own[at] == name_char(name.data[at]))
            at++;
        if (at == name.len && own[at] == '\0')
            return &fray_options[i];
    }
    return NULL;
}

/* Whoever types Socket.IO's pingInterval means ping_interval_ms. */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

enum { NAME_MAX_LEN = 64 };

/* Levenshtein's distance, one row of his table at a time. */
static unsigned distance(struct fray_slice typed, const char *name)
{
    unsigned row[NAME_MAX_LEN + 1];
    size_t len = strlen(name);
    assert(len <= NAME_MAX_LEN);
    for (unsigned column = 0; column <= len; column++)
        row[column] = column;
    for (size_t i = 0; i < typed.len; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t column = 1; column <= len; column++) {
            unsigned above = row[column];
            unsigned differs = lower(name_char(typed.data[i])) != name[column - 1];
            row[column] = min3(above + 1, row[column - 1] + 1, diagonal + differs);
            diagonal = above;
        }
    }
    return row[len];
}

const struct fray_option *fray_option_nearest(struct fray_slice name)
{
    const struct fray_option *nearest = NULL;
    if (name.len < 2 || name.len > NAME_MAX_LEN)
        return NULL;
    unsigned best = name.len < 6 ? 2 : (unsigned)name.len / 3 + 1;
    for (size_t i = 0; i < FRAY_OPTION_COUNT; i++) {
        unsigned steps = distance(name, fray_options[i].name);
        if (steps < best) {
            best = steps;
            nearest = &fray_options[i];
        }
    }
    return nearest;
}
