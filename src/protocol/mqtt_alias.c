#include "base/mem.h"
#include "protocol/mqtt_connection.h"

/* A topic that has an alias; owned. */
struct alias {
    uint16_t number;
    struct fray_slice topic; /* in `text` */
    char text[];
};

struct fray_mqtt_aliases {
    struct alias **in; /* by number - 1, config->topic_alias_maximum of them; NULL until used */
    uint16_t in_count;
    struct fray_name_map out; /* struct alias by topic */
};

static struct fray_mqtt_aliases *aliases_of(struct fray_mqtt_connection *self)
{
    if (!self->aliases) {
        self->aliases = fray_alloc_zero(sizeof *self->aliases);
        struct fray_worker *worker = self->session.worker;
        worker->random(worker, &self->aliases->out.key, sizeof self->aliases->out.key);
    }
    return self->aliases;
}

static struct alias *alias_create(uint16_t number, struct fray_slice topic)
{
    struct alias *alias = fray_alloc(sizeof *alias + topic.len);
    alias->number = number;
    memcpy(alias->text, topic.data, topic.len);
    alias->topic = fray_slice(alias->text, topic.len);
    return alias;
}

bool fray_mqtt_alias_in(struct fray_mqtt_connection *self, uint16_t number,
                        struct fray_slice *topic)
{
    struct fray_mqtt_aliases *aliases = aliases_of(self);
    if (!aliases->in) {
        aliases->in_count = self->config->topic_alias_maximum;
        aliases->in = fray_alloc_zero(aliases->in_count * sizeof(*aliases->in));
    }
    if (!number || number > aliases->in_count)
        return false;
    struct alias **alias = &aliases->in[number - 1];
    if (topic->len) {
        free(*alias);
        *alias = alias_create(number, *topic);
    }
    if (!*alias)
        return false;
    *topic = (*alias)->topic;
    return true;
}

uint16_t fray_mqtt_alias_out(struct fray_mqtt_connection *self, struct fray_slice topic,
                             bool *is_known)
{
    struct fray_name_map *out = &aliases_of(self)->out;
    struct alias *alias = fray_name_map_get(out, topic);
    *is_known = alias != NULL;
    if (alias)
        return alias->number;
    if (out->count >= self->peer_alias_max)
        return 0;
    alias = alias_create((uint16_t)(out->count + 1), topic);
    fray_name_map_add(out, alias->topic, alias);
    return alias->number;
}

void fray_mqtt_aliases_destroy(struct fray_mqtt_aliases *aliases)
{
    if (!aliases)
        return;
    for (size_t i = 0; aliases->in && i < aliases->in_count; i++)
        free(aliases->in[i]);
    for (uint32_t i = 0; i < aliases->out.cap; i++)
        free(aliases->out.entries[i].object);
    fray_name_map_deinit(&aliases->out);
    free(aliases->in);
    free(aliases);
}
