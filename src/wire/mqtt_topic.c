#include "wire/mqtt_topic.h"

enum { TOPIC_MAX = 65535 }; /* [MQTT-4.7.3-3] */

static const struct fray_slice share_prefix = {"$share/", 7};

static bool length_valid(struct fray_slice text)
{
    return text.len > 0 && text.len <= TOPIC_MAX;
}

bool fray_mqtt_topic_name_valid(struct fray_slice name)
{
    return length_valid(name) && !memchr(name.data, '+', name.len) &&
           !memchr(name.data, '#', name.len);
}

static bool levels_valid(struct fray_slice filter)
{
    for (size_t i = 0; i < filter.len; i++) {
        char c = filter.data[i];
        if (c != '+' && c != '#')
            continue;
        bool first = i == 0 || filter.data[i - 1] == '/';
        bool last = i + 1 == filter.len || (c == '+' && filter.data[i + 1] == '/');
        if (!first || !last)
            return false;
    }
    return filter.len > 0;
}

bool fray_mqtt_topic_filter_valid(struct fray_slice filter)
{
    if (!length_valid(filter) || !levels_valid(filter))
        return false;
    if (!fray_slice_starts(filter, share_prefix))
        return true;
    struct fray_slice name = fray_slice_skip(filter, share_prefix.len);
    const char *slash = name.len ? memchr(name.data, '/', name.len) : NULL;
    if (!slash || slash == name.data || slash + 1 == name.data + name.len)
        return false;
    name.len = (size_t)(slash - name.data);
    return fray_mqtt_topic_name_valid(name);
}

bool fray_mqtt_topic_filter_split(struct fray_slice text, struct fray_slice *group,
                                  struct fray_slice *filter)
{
    *group = (struct fray_slice){0};
    *filter = text;
    if (!fray_slice_starts(text, share_prefix))
        return false;
    struct fray_slice name = fray_slice_skip(text, share_prefix.len);
    const char *slash = name.len ? memchr(name.data, '/', name.len) : NULL;
    if (!slash)
        return false;
    *group = fray_slice(name.data, (size_t)(slash - name.data));
    *filter = fray_slice_skip(name, group->len + 1);
    return true;
}
