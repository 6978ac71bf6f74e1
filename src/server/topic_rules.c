#include "server/topic_rules.h"

#include "base/mem.h"
#include "broker/topic.h"
#include "wire/mqtt_topic.h"

enum { MAY_READ = 1, MAY_WRITE = 2, DENY = 4 };

struct rule {
    char *user; /* NULL: everybody's */
    char *filter;
    unsigned access;
};

struct fray_topic_rules {
    struct rule *rules;
    size_t count;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct fray_slice trim(struct fray_slice text)
{
    while (text.len && is_space(text.data[0]))
        text = fray_slice_skip(text, 1);
    while (text.len && is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

static struct fray_slice next_word(struct fray_slice *rest)
{
    *rest = trim(*rest);
    struct fray_slice word = {rest->data, 0};
    while (word.len < rest->len && !is_space(rest->data[word.len]))
        word.len++;
    *rest = trim(fray_slice_skip(*rest, word.len));
    return word;
}

static bool access_of(struct fray_slice word, unsigned *access)
{
    static const struct {
        const char *word;
        unsigned access;
    } words[] = {{"read", MAY_READ},
                 {"write", MAY_WRITE},
                 {"readwrite", MAY_READ | MAY_WRITE},
                 {"deny", DENY}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *access = words[i].access;
        if (fray_slice_equal(word, fray_slice_of(words[i].word)))
            return true;
    }
    return false;
}

/* A filter may hold spaces, so only its first word may be the access. NULL, or what is wrong. */
static const char *add_rule(struct fray_topic_rules *rules, struct fray_slice text,
                            const char *user)
{
    struct fray_slice rest = text, filter = text;
    unsigned access;
    if (access_of(next_word(&rest), &access) && rest.len)
        filter = rest;
    else
        access = MAY_READ | MAY_WRITE;
    if (!fray_mqtt_topic_filter_valid(filter))
        return "not a topic filter";
    rules->rules = fray_realloc(rules->rules, (rules->count + 1) * sizeof *rules->rules);
    rules->rules[rules->count++] = (struct rule){
        .user = user ? fray_strndup(user, strlen(user)) : NULL,
        .filter = fray_strndup(filter.data, filter.len),
        .access = access,
    };
    return NULL;
}

static const char *read_line(struct fray_topic_rules *rules, struct fray_slice line, char **user)
{
    struct fray_slice rest = trim(line);
    if (!rest.len || rest.data[0] == '#')
        return NULL;
    struct fray_slice word = next_word(&rest);
    if (!rest.len)
        return "something is missing behind the first word";
    if (fray_slice_equal(word, FRAY_SLICE("topic")))
        return add_rule(rules, rest, *user);
    if (fray_slice_equal(word, FRAY_SLICE("pattern")))
        return add_rule(rules, rest, NULL);
    if (!fray_slice_equal(word, FRAY_SLICE("user")))
        return "the first word must be topic, pattern or user";
    free(*user);
    *user = fray_strndup(rest.data, rest.len);
    return NULL;
}

enum fray_err fray_topic_rules_parse(struct fray_slice text, struct fray_topic_rules **result,
                                     struct fray_buf *error)
{
    struct fray_topic_rules *rules = fray_alloc_zero(sizeof *rules);
    const char *wrong = NULL;
    char *user = NULL;
    unsigned number = 0;
    while (text.len && !wrong) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        number++;
        wrong = read_line(rules, fray_slice(text.data, len), &user);
        text = fray_slice_skip(text, end ? len + 1 : len);
    }
    free(user);
    if (wrong) {
        fray_buf_printf(error, "line %u: %s.", number, wrong);
        fray_topic_rules_destroy(rules);
        return FRAY_ERR_CONFIG;
    }
    *result = rules;
    return FRAY_OK;
}

void fray_topic_rules_destroy(struct fray_topic_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        free(rules->rules[i].user);
        free(rules->rules[i].filter);
    }
    free(rules->rules);
    free(rules);
}

/* ------------------------------------------------------------------ judging */

static bool append_name(struct fray_buf *out, struct fray_slice name)
{
    fray_buf_append_slice(out, name);
    for (size_t i = 0; i < name.len; i++) {
        if (strchr("/+#", name.data[i]))
            return false;
    }
    return name.len > 0;
}

/* The rule's filter with the client's names in it. False: it is not for this client. */
static bool expand(const char *filter, const struct fray_mqtt_identity *identity,
                   struct fray_buf *out)
{
    bool is_his = true;
    out->len = 0;
    for (const char *at = filter; *at && is_his; at++) {
        if (at[0] == '%' && (at[1] == 'c' || at[1] == 'u'))
            is_his = append_name(out, *++at == 'c' ? identity->client_id : identity->username);
        else
            fray_buf_append_byte(out, (uint8_t)*at);
    }
    return is_his;
}

bool fray_topic_rules_allow(const struct fray_topic_rules *rules,
                            const struct fray_mqtt_identity *identity, enum fray_mqtt_action action,
                            struct fray_slice topic)
{
    unsigned wanted = action == FRAY_MQTT_ACTION_PUBLISH ? MAY_WRITE : MAY_READ;
    struct fray_buf filter = {0};
    bool is_part = action == FRAY_MQTT_ACTION_SUBSCRIBE_PART;
    bool is_allowed = false, is_denied = false;
    for (size_t i = 0; i < rules->count && !is_denied; i++) {
        const struct rule *rule = &rules->rules[i];
        bool is_his =
            !rule->user || fray_slice_equal(fray_slice_of(rule->user), identity->username);
        if (!is_his || !expand(rule->filter, identity, &filter))
            continue;
        bool overlaps = fray_topic_filters_overlap(fray_buf_slice(&filter), topic);
        bool covers = overlaps && fray_topic_filter_covers(fray_buf_slice(&filter), topic);
        if (rule->access & DENY)
            is_denied = is_part ? covers : overlaps;
        else if (rule->access & wanted)
            is_allowed |= is_part ? overlaps : covers;
    }
    fray_buf_deinit(&filter);
    return is_allowed && !is_denied;
}
