/* Who may publish and subscribe to what: a file of rules in the words of mosquitto's acl_file.
 *
 *   topic [read|write|readwrite|deny] FILTER     of the user above, or of everybody before the
 * first user NAME pattern [read|write|readwrite|deny] FILTER   of everybody, wherever it stands
 *
 * In every FILTER %c is the client identifier and %u the user name; a rule does not apply to a
 * client whose name is empty or holds '/', '+' or '#'. What no rule allows is denied; `deny` goes
 * before all others. A filter is allowed as a whole where one rule covers it and no denied topic
 * matches it; in part where a rule overlaps it and no `deny` covers it. Lines that begin with '#'
 * are comments. Read once, then only looked at: any thread. */
#ifndef FRAY_SERVER_TOPIC_RULES_H
#define FRAY_SERVER_TOPIC_RULES_H

#include "protocol/mqtt.h"

struct fray_topic_rules;

/* FRAY_ERR_CONFIG: `error` receives a sentence with the line's number. */
FRAY_MUST_CHECK enum fray_err fray_topic_rules_parse(struct fray_slice text,
                                                     struct fray_topic_rules **rules,
                                                     struct fray_buf *error);
void fray_topic_rules_destroy(struct fray_topic_rules *rules);

bool fray_topic_rules_allow(const struct fray_topic_rules *rules,
                            const struct fray_mqtt_identity *identity, enum fray_mqtt_action action,
                            struct fray_slice topic);

#endif
