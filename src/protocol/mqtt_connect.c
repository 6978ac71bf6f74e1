/* CONNECT and CONNACK. */
#include "base/mem.h"
#include "protocol/mqtt_connection.h"
#include "wire/utf8.h"

static void send_connack(struct fray_mqtt_connection *self, enum fray_mqtt_version version,
                         const struct fray_mqtt_connack *connack)
{
    struct fray_mqtt_packet packet = {.type = FRAY_MQTT_CONNACK, .connack = *connack};
    self->version = (uint8_t)version;
    self->connack_us = (uint32_t)*self->session.worker->now_us;
    if (connack->reason == FRAY_MQTT_SUCCESS)
        fray_mqtt_promise(self);
    fray_mqtt_send(self, &packet);
}

static void refuse(struct fray_mqtt_connection *self, enum fray_mqtt_version version,
                   const struct fray_mqtt_connack *connack)
{
    enum fray_mqtt_reason reason = connack->reason;
    uint8_t code;
    fray_count(&self->session.worker->counters.mqtt_connects_refused);
    /* The text of an unknown version's refusal is 3.1.1's, which all understand (3.1.2.2). */
    if (version == FRAY_MQTT_VERSION_UNKNOWN && reason == FRAY_MQTT_UNSUPPORTED_PROTOCOL_VERSION)
        version = FRAY_MQTT_3_1_1;
    if (version == FRAY_MQTT_5 ||
        (version != FRAY_MQTT_VERSION_UNKNOWN && fray_mqtt_return_code_of(reason, &code)))
        send_connack(self, version, connack);
    self->version = FRAY_MQTT_VERSION_UNKNOWN; /* a DISCONNECT has no place after it */
    fray_session_close(&self->session, FRAY_SERVER_DISCONNECTED);
}

void fray_mqtt_refuse(struct fray_mqtt_connection *self, enum fray_mqtt_version version,
                      enum fray_mqtt_reason reason)
{
    refuse(self, version, &(struct fray_mqtt_connack){.reason = reason});
}

void fray_mqtt_refuse_full(struct fray_mqtt_connection *self, enum fray_mqtt_version version)
{
    fray_mqtt_refuse(self, version,
                     version == FRAY_MQTT_5 ? FRAY_MQTT_QUOTA_EXCEEDED
                                            : FRAY_MQTT_SERVER_UNAVAILABLE);
}

/* FRAY_ERR_AGAIN: the verdict comes later. */
static enum fray_err authenticate(struct fray_mqtt_connection *self,
                                  const struct fray_mqtt_connect *connect,
                                  struct fray_mqtt_verdict *verdict)
{
    struct fray_mqtt_access *access = self->config->access;
    if (fray_mqtt_has(&connect->properties, FRAY_MQTT_AUTHENTICATION_METHOD)) {
        verdict->reason = FRAY_MQTT_BAD_AUTHENTICATION_METHOD; /* 4.12: none is supported */
        return FRAY_OK;
    }
    if (self->has_verdict)
        verdict->reason = (enum fray_mqtt_reason)self->verdict;
    else if (access)
        return access->authenticate(access, self->session.handle, connect, verdict);
    return FRAY_OK;
}

static struct fray_publication *will_of(struct fray_mqtt_connection *self,
                                        const struct fray_mqtt_will *will)
{
    struct fray_worker *worker = self->session.worker;
    return fray_publication_create(
        &(struct fray_mqtt_publish){
            .qos = will->qos,
            .retain = will->retain,
            .topic = will->topic,
            .payload = will->payload,
            .properties = will->properties,
        },
        *worker->now_us, &worker->scratch);
}

static bool may_will(const struct fray_mqtt_connection *self,
                     const struct fray_mqtt_connect *connect)
{
    if (!connect->has_will)
        return true;
    if (fray_mqtt_is_socket_topic(self->config, connect->will.topic) || /* it is gone by then */
        !fray_mqtt_may_speak(self->config, connect->will.topic))
        return false;
    if (!self->config->access)
        return true;
    struct fray_mqtt_identity identity = {connect->client_id, connect->username};
    return self->config->access->may(self->config->access, &identity, FRAY_MQTT_ACTION_PUBLISH,
                                     connect->will.topic) &&
           !fray_slice_starts(connect->will.topic, FRAY_SLICE("$SYS/"));
}

static void on_timer(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_mqtt_connection *self =
        (struct fray_mqtt_connection *)((char *)timer -
                                        offsetof(struct fray_mqtt_connection, timer));
    /* One and a half times the keep alive [MQTT-3.1.2-22]; the timer moves only when it fires. */
    uint64_t due_us = self->seen_us + self->keep_alive_s * UINT64_C(1500000);
    if (due_us > now_us) {
        fray_timer_arm(self->session.worker->timers, timer, due_us);
        return;
    }
    fray_count(&self->session.worker->counters.closed_ping_timeout);
    self->close_reason = FRAY_MQTT_KEEP_ALIVE_TIMEOUT;
    fray_session_close(&self->session, FRAY_SERVER_DISCONNECTED);
}

static void start_keep_alive(struct fray_mqtt_connection *self, uint16_t asked_s)
{
    uint16_t most_s = self->config->keep_alive_max_s;
    bool is_changed = most_s && (asked_s == 0 || asked_s > most_s);
    self->keep_alive_s = is_changed && fray_mqtt_is_v5(self) ? most_s : asked_s;
    fray_timer_cancel(self->session.worker->timers, &self->timer);
    self->timer.on_expire = on_timer;
    if (self->keep_alive_s)
        fray_timer_arm(self->session.worker->timers, &self->timer,
                       self->seen_us + self->keep_alive_s * UINT64_C(1500000));
}

#define SET(properties, id, member, value)                                                         \
    ((properties)->present |= FRAY_MQTT_PROPERTY_BIT(id), (properties)->member = (value))

/* What differs from what the client asked for or, unasked, from the defaults of 3.2.2.3. */
static void set_properties(const struct fray_mqtt_connection *self,
                           const struct fray_mqtt_connect *connect, struct fray_mqtt_properties *to)
{
    const struct fray_mqtt_config *config = self->config;
    uint32_t asked_s = connect->properties.session_expiry_interval;
    if (self->client->expiry_s != asked_s)
        SET(to, FRAY_MQTT_SESSION_EXPIRY_INTERVAL, session_expiry_interval, self->client->expiry_s);
    if (config->receive_maximum < UINT16_MAX)
        SET(to, FRAY_MQTT_RECEIVE_MAXIMUM, receive_maximum, config->receive_maximum);
    SET(to, FRAY_MQTT_MAXIMUM_PACKET_SIZE, maximum_packet_size, config->maximum_packet_size);
    if (config->topic_alias_maximum)
        SET(to, FRAY_MQTT_TOPIC_ALIAS_MAXIMUM, topic_alias_maximum, config->topic_alias_maximum);
    if (self->keep_alive_s != connect->keep_alive_s)
        SET(to, FRAY_MQTT_SERVER_KEEP_ALIVE, server_keep_alive, self->keep_alive_s);
    if (!connect->client_id.len)
        SET(to, FRAY_MQTT_ASSIGNED_CLIENT_IDENTIFIER, assigned_client_identifier,
            fray_broker_client_id(self->client));
}

static void note_peer(struct fray_mqtt_connection *self, const struct fray_mqtt_connect *connect)
{
    const struct fray_mqtt_properties *properties = &connect->properties;
    self->version = (uint8_t)connect->version;
    self->peer_packet_max = properties->maximum_packet_size;
    self->peer_alias_max = properties->topic_alias_maximum;
    self->keeps_problems = fray_mqtt_has(properties, FRAY_MQTT_REQUEST_PROBLEM_INFORMATION) &&
                           !properties->request_problem_information;
    self->has_no_expiry = fray_mqtt_is_v5(self) && properties->session_expiry_interval == 0;
    if (self->config->has_tokens && connect->has_password && fray_utf8_valid(connect->password))
        self->token = fray_strndup(connect->password.data, connect->password.len);
    if (connect->has_username)
        self->username = fray_strndup(connect->username.data, connect->username.len);
}

/* Seconds that the session is to outlive its connection. Before 5.0 it is clean, or lasts (3.1.1:
 * 3.1.2.4). */
static uint32_t expiry_of(const struct fray_mqtt_connect *connect)
{
    if (connect->version == FRAY_MQTT_5)
        return connect->properties.session_expiry_interval;
    return connect->clean_start ? 0 : FRAY_BROKER_NEVER_EXPIRES;
}

static struct fray_broker_session *enter(struct fray_mqtt_connection *self,
                                         const struct fray_mqtt_connect *connect, bool *present)
{
    struct fray_broker *broker = self->config->broker;
    const struct fray_mqtt_properties *properties = &connect->properties;
    bool has_maximum = fray_mqtt_has(properties, FRAY_MQTT_RECEIVE_MAXIMUM);
    char assigned[23];
    struct fray_broker_connect parts = {
        .client_id = connect->client_id,
        .clean_start = connect->clean_start,
        .expiry_s = expiry_of(connect),
        .receive_maximum = has_maximum ? properties->receive_maximum : UINT16_MAX,
        .will = connect->has_will ? will_of(self, &connect->will) : NULL,
        .will_delay_s = connect->will.properties.will_delay_interval,
        .ops = &fray_mqtt_session_ops,
        .connection = self,
    };
    if (!connect->client_id.len)
        parts.client_id = fray_broker_assign_client_id(broker, assigned);
    return fray_broker_connect(broker, &parts, present);
}

static void accept(struct fray_mqtt_connection *self, const struct fray_mqtt_connect *connect)
{
    struct fray_mqtt_connack connack = {0};
    note_peer(self, connect);
    self->client = enter(self, connect, &connack.session_present);
    if (!self->client) {
        fray_count(&self->session.worker->counters.mqtt_sessions_refused);
        fray_mqtt_refuse(self, connect->version, FRAY_MQTT_SERVER_BUSY);
        return;
    }
    /* What it subscribed to before was judged by the rules of then. */
    self->judges_topics = self->config->access && connack.session_present;
    fray_count(&self->session.worker->counters.mqtt_connects);
    start_keep_alive(self, connect->keep_alive_s);
    set_properties(self, connect, &connack.properties);
    send_connack(self, connect->version, &connack);
    fray_mqtt_pump(self);
}

/* Says why, unless the client takes no packet of that size [MQTT-3.2.2-19]. */
static void refuse_by(struct fray_mqtt_connection *self, const struct fray_mqtt_connect *connect,
                      const struct fray_mqtt_verdict *verdict)
{
    enum { CONNACK_BYTES = 10 }; /* fixed header, flags, reason, and the lengths of the rest */
    struct fray_mqtt_connack connack = {.reason = verdict->reason};
    struct fray_slice why = fray_slice_of(verdict->why ? verdict->why : "");
    bool is_bounded = fray_mqtt_has(&connect->properties, FRAY_MQTT_MAXIMUM_PACKET_SIZE);
    if (why.len &&
        (!is_bounded || why.len + CONNACK_BYTES <= connect->properties.maximum_packet_size))
        SET(&connack.properties, FRAY_MQTT_REASON_STRING, reason_string, why);
    refuse(self, connect->version, &connack);
}

static void on_lease_ended(struct fray_timer *timer, uint64_t now_us)
{
    struct fray_mqtt_connection *self = ((struct fray_mqtt_lease *)timer)->connection;
    (void)now_us;
    fray_count(&self->session.worker->counters.tokens_expired);
    self->close_reason = FRAY_MQTT_NOT_AUTHORIZED;
    fray_session_close(&self->session, FRAY_SERVER_DISCONNECTED);
}

static void start_lease(struct fray_mqtt_connection *self, uint64_t expires_us)
{
    self->lease = fray_alloc_zero(sizeof *self->lease);
    self->lease->connection = self;
    self->lease->timer.on_expire = on_lease_ended;
    fray_timer_arm(self->session.worker->timers, &self->lease->timer, expires_us);
}

bool fray_mqtt_on_connect(struct fray_mqtt_connection *self,
                          const struct fray_mqtt_connect *connect)
{
    struct fray_mqtt_verdict verdict = {0};
    if (authenticate(self, connect, &verdict) == FRAY_ERR_AGAIN)
        return false;
    if (verdict.reason == FRAY_MQTT_SUCCESS && !may_will(self, connect))
        verdict.reason = FRAY_MQTT_NOT_AUTHORIZED;
    if (verdict.reason) {
        refuse_by(self, connect, &verdict);
        return true;
    }
    if (self->config->is_read_only && expiry_of(connect)) {
        fray_mqtt_refuse_full(self, connect->version);
        return true;
    }
    if (verdict.expires_us)
        start_lease(self, verdict.expires_us);
    accept(self, connect);
    return true;
}
