/* Settings of the network lab in JSON, as admins and pages write them. */
#include <string.h>

#include "server/lab.h"

struct number {
    const char *name;
    json_int_t most, self_most;
};

enum { DELAY, JITTER, LOSS, DUPLICATE, REORDER, RATE, NUMBERS };

static const struct number numbers[NUMBERS] = {
    [DELAY] = {"delay_ms", FRAY_LAB_DELAY_MAX_MS, FRAY_LAB_SELF_DELAY_MAX_MS},
    [JITTER] = {"jitter_ms", FRAY_LAB_DELAY_MAX_MS, FRAY_LAB_SELF_DELAY_MAX_MS},
    [LOSS] = {"loss_percent", 100, FRAY_LAB_SELF_PERCENT_MAX},
    [DUPLICATE] = {"duplicate_percent", 100, FRAY_LAB_SELF_PERCENT_MAX},
    [REORDER] = {"reorder_percent", 100, FRAY_LAB_SELF_PERCENT_MAX},
    [RATE] = {"rate_kbps", FRAY_LAB_RATE_MAX_KBPS, FRAY_LAB_RATE_MAX_KBPS},
};

static bool is_known(const char *key)
{
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (strcmp(key, numbers[i].name) == 0)
            return true;
    }
    return strcmp(key, "datagrams") == 0;
}

static enum fray_err check_keys(const json_t *object, struct fray_buf *reason)
{
    if (!json_is_object(object)) {
        FRAY_BUF_LITERAL(reason, "Settings are an object, such as {\"delay_ms\": 150}.");
        return FRAY_ERR_SYNTAX;
    }
    for (void *at = json_object_iter((json_t *)object); at;
         at = json_object_iter_next((json_t *)object, at)) {
        if (is_known(json_object_iter_key(at)))
            continue;
        FRAY_BUF_LITERAL(reason, "There are delay_ms, jitter_ms, loss_percent, duplicate_percent, "
                                 "reorder_percent, rate_kbps and datagrams, and no other member.");
        return FRAY_ERR_SYNTAX;
    }
    return FRAY_OK;
}

static enum fray_err read_number(const json_t *object, unsigned which, bool is_self,
                                 json_int_t *value, struct fray_buf *reason)
{
    const struct number *number = &numbers[which];
    const json_t *given = json_object_get(object, number->name);
    json_int_t most = is_self ? number->self_most : number->most;
    *value = json_integer_value(given);
    if (!given || (json_is_integer(given) && *value >= 0 && *value <= most))
        return FRAY_OK;
    fray_buf_printf(reason, "%s is an integer from 0 to %lld.", number->name, (long long)most);
    return FRAY_ERR_SYNTAX;
}

enum fray_err fray_lab_settings_read(const json_t *object, bool is_self,
                                     struct fray_lab_settings *settings, struct fray_buf *reason)
{
    json_int_t values[NUMBERS];
    enum fray_err err = check_keys(object, reason);
    for (unsigned i = 0; i < NUMBERS && !err; i++)
        err = read_number(object, i, is_self, &values[i], reason);
    if (err)
        return err;
    const json_t *datagrams = json_object_get(object, "datagrams");
    if (datagrams && !json_is_boolean(datagrams)) {
        FRAY_BUF_LITERAL(reason, "datagrams is true or false.");
        return FRAY_ERR_SYNTAX;
    }
    if (is_self && values[RATE] && values[RATE] < FRAY_LAB_SELF_RATE_MIN_KBPS) {
        fray_buf_printf(reason, "rate_kbps is 0, for no limit, or at least %d.",
                        FRAY_LAB_SELF_RATE_MIN_KBPS);
        return FRAY_ERR_SYNTAX;
    }
    *settings = (struct fray_lab_settings){
        .delay_ms = (uint32_t)values[DELAY],
        .jitter_ms = (uint32_t)values[JITTER],
        .rate_kbps = (uint32_t)values[RATE],
        .loss_percent = (uint8_t)values[LOSS],
        .duplicate_percent = (uint8_t)values[DUPLICATE],
        .reorder_percent = (uint8_t)values[REORDER],
        .datagrams = json_is_true(datagrams),
    };
    return FRAY_OK;
}

json_t *fray_lab_settings_json(const struct fray_lab_settings *settings)
{
    return json_pack(
        "{s:i, s:i, s:i, s:i, s:i, s:i, s:b}", "delay_ms", (int)settings->delay_ms, "jitter_ms",
        (int)settings->jitter_ms, "loss_percent", (int)settings->loss_percent, "duplicate_percent",
        (int)settings->duplicate_percent, "reorder_percent", (int)settings->reorder_percent,
        "rate_kbps", (int)settings->rate_kbps, "datagrams", (int)settings->datagrams);
}
