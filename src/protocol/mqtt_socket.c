#include "protocol/mqtt_socket.h"

#include "base/mem.h"
#include "broker/room_event.h"
#include "wire/json.h"

static const struct fray_protocol protocol;

/* An event that came while the namespace was still to answer: its home may be another worker. */
struct fray_mqtt_early {
    struct fray_mqtt_early *next;
    struct fray_message *event; /* a reference */
    int64_t request;
};

static struct fray_mqtt_socket *socket_of(struct fray_session *session)
{
    return (struct fray_mqtt_socket *)session;
}

struct fray_mqtt_connection *fray_mqtt_connection_at(const struct fray_worker *worker,
                                                     struct fray_handle handle)
{
    struct fray_session *session = fray_id_pool_get(&worker->sessions, handle);
    return session && !session->is_closing ? (struct fray_mqtt_connection *)session : NULL;
}

/* ------------------------------------------------------------------ opening */

/* {"name":…,"token":…}, as other clients say it when they connect. */
static void write_auth(struct fray_buf *auth, const struct fray_mqtt_connection *connection)
{
    FRAY_BUF_LITERAL(auth, "{");
    if (connection->username && *connection->username) {
        FRAY_BUF_LITERAL(auth, "\"name\":");
        fray_json_write_string(auth, fray_slice_of(connection->username));
    }
    if (connection->token) {
        if (auth->len > 1)
            fray_buf_append_byte(auth, ',');
        FRAY_BUF_LITERAL(auth, "\"token\":");
        fray_json_write_string(auth, fray_slice_of(connection->token));
    }
    fray_buf_append_byte(auth, '}');
}

/* The members of Socket.IO's handshake object, as far as there are such things. */
static json_t *describe(const struct fray_handshake *handshake)
{
    return json_pack("{s:{}, s:{}, s:s, s:s, s:b, s:b}", "headers", "query", "url", "", "address",
                     handshake->address, "xdomain", 0, "secure", 0);
}

static struct fray_handshake *handshake_of(const struct fray_mqtt_connection *connection)
{
    struct fray_link *link = connection->session.link;
    if (!link || !link->ops->write_peer)
        return NULL;
    struct fray_handshake *handshake = fray_alloc_zero(sizeof *handshake);
    handshake->refs = 1;
    handshake->describe = describe;
    _Static_assert(sizeof handshake->address == FRAY_PEER_TEXT_MAX, "written to as a whole");
    link->ops->write_peer(link, handshake->address);
    return handshake;
}

static struct fray_mqtt_socket *create(struct fray_mqtt_connection *connection, fray_namespace *nsp)
{
    struct fray_worker *worker = connection->session.worker;
    struct fray_mqtt_socket *self = fray_session_open(&protocol, worker, sizeof *self);
    struct fray_buf auth = {0};
    self->connection = connection->session.handle;
    self->nsp = nsp;
    self->next = connection->sockets;
    connection->sockets = self;
    fray_sid_make(&self->session, self->sid);
    self->link.ops = &fray_mqtt_socket_link_ops;
    self->link.is_writable = true;
    fray_session_attach(&self->session, &self->link);
    self->member.session = &self->session;
    write_auth(&auth, connection);
    struct fray_handshake *handshake = handshake_of(connection);
    fray_member_connect(
        &self->member, nsp,
        &(struct fray_connect_request){.auth = fray_buf_slice(&auth), .handshake = handshake});
    fray_handshake_unref(handshake);
    fray_buf_deinit(&auth);
    return self;
}

/* The connection's socket in that namespace, opened when there is none. NULL: no such namespace, or
 * refused. */
static struct fray_mqtt_socket *own_socket(struct fray_mqtt_connection *connection,
                                           const char *nsp_name)
{
    struct fray_mqtt_socket *self = connection->sockets;
    while (self && strcmp(self->nsp->name, nsp_name) != 0)
        self = self->next;
    if (self)
        return self;
    struct fray_mqtt_rooms *rooms = connection->config->rooms;
    fray_namespace *nsp = rooms->find(rooms, fray_slice_of(nsp_name));
    self = nsp ? create(connection, nsp) : NULL;
    return self && !self->session.is_closing ? self : NULL;
}

static struct fray_mqtt_socket *socket_by_sid(const struct fray_worker *worker, const char *sid,
                                              const char *nsp_name)
{
    struct fray_slice id = fray_slice_of(sid);
    struct fray_session *session = fray_sid_session(worker, id);
    if (!session || session->protocol != &protocol || session->is_closing)
        return NULL;
    struct fray_mqtt_socket *self = socket_of(session);
    bool fits = fray_token_equal(id, self->sid) && strcmp(self->nsp->name, nsp_name) == 0;
    return fits ? self : NULL;
}

void fray_mqtt_socket_subscribed(struct fray_mqtt_connection *connection, struct fray_slice filter)
{
    /* With its own name written out: "#" is for those who look on. */
    struct fray_buf text = {0}, name = {0};
    struct fray_room_topic parts;
    size_t len = filter.len;
    const char *wildcard = filter.len ? memchr(filter.data, '+', filter.len) : NULL;
    if (!wildcard)
        wildcard = filter.len ? memchr(filter.data, '#', filter.len) : NULL;
    if (wildcard)
        len = (size_t)(wildcard - filter.data);
    fray_buf_append(&name, filter.data, len);
    if (!len || filter.data[len - 1] == '/')
        fray_buf_append_byte(&name, 'e'); /* any event */
    if (!fray_room_topic_decode(fray_buf_slice(&name), &text, &parts) && parts.room &&
        strcmp(parts.room, "me") == 0)
        (void)own_socket(connection, parts.nsp);
    fray_buf_deinit(&text);
    fray_buf_deinit(&name);
}

/* ------------------------------------------------------------------ events in */

static void request_clear(struct fray_mqtt_request *request)
{
    fray_buf_deinit(&request->topic);
    fray_buf_deinit(&request->correlation);
    *request = (struct fray_mqtt_request){.id = FRAY_ACK_NONE};
}

struct fray_mqtt_request *fray_mqtt_request_of(struct fray_mqtt_socket *self, int64_t id)
{
    struct fray_mqtt_request *request =
        self->requests && id >= 0 ? &self->requests[id % FRAY_MQTT_REQUESTS_MAX] : NULL;
    return request && request->id == id && request->topic.len ? request : NULL;
}

/* Notes where an answer is to go. */
static int64_t note_request(struct fray_mqtt_socket *self, const struct fray_mqtt_connection *asker,
                            const struct fray_mqtt_publish *publish, const char *event)
{
    const struct fray_mqtt_properties *properties = &publish->properties;
    struct fray_slice response = properties->response_topic;
    if (!self->requests)
        self->requests = fray_alloc_zero(FRAY_MQTT_REQUESTS_MAX * sizeof *self->requests);
    int64_t id = self->next_request++;
    struct fray_mqtt_request *request = &self->requests[id % FRAY_MQTT_REQUESTS_MAX];
    request_clear(request);
    request->id = id;
    /* A response topic is the asker's, who may be another connection than the socket's. */
    request->asker = response.len ? asker->session.handle : self->connection;
    request->has_response_topic = response.len > 0;
    if (response.len) {
        fray_buf_append_slice(&request->topic, response);
        fray_buf_append_slice(&request->correlation, properties->correlation_data);
    } else if (!fray_room_topic_encode(&request->topic, self->nsp->name, FRAY_SLICE("me"),
                                       fray_slice_of(event))) {
        FRAY_BUF_LITERAL(&request->topic, "/ack");
    }
    return id;
}

static void deliver(struct fray_mqtt_socket *self, struct fray_message *event, int64_t request)
{
    struct fray_slice few[8], *attachments = few;
    size_t count = event->attachments_count;
    if (count > sizeof few / sizeof *few)
        attachments = fray_alloc(count * sizeof *attachments);
    for (size_t i = 0; i < count; i++)
        attachments[i] = fray_slice(event->attachments[i].data, event->attachments[i].len);
    fray_member_event(&self->member, &(struct fray_incoming){
                                         .name = event->name,
                                         .args = event->body,
                                         .attachments = attachments,
                                         .attachments_count = count,
                                         .ack_id = request,
                                         .wants_errors = true,
                                     });
    if (attachments != few)
        free(attachments);
}

/* Keeps the event until the namespace has answered. False: a client in such a hurry is flooding. */
static bool keep_early(struct fray_mqtt_socket *self, struct fray_message *event, int64_t request)
{
    size_t count = 0, bytes = fray_message_size(event);
    struct fray_mqtt_early **link = &self->early;
    for (; *link; link = &(*link)->next, count++)
        bytes += fray_message_size((*link)->event);
    if (count == FRAY_MQTT_EARLY_MAX ||
        (count && bytes > self->session.worker->outbox_limits.max_bytes))
        return false;
    *link = fray_alloc(sizeof **link);
    **link = (struct fray_mqtt_early){.event = fray_message_ref(event), .request = request};
    return true;
}

static void receive(struct fray_mqtt_socket *self, struct fray_mqtt_connection *asker,
                    const struct fray_room_topic *parts, const struct fray_mqtt_publish *publish)
{
    struct fray_message *event =
        fray_room_payload_decode(parts, publish->payload, self->nsp->options.json_max_depth);
    int64_t request = note_request(self, asker, publish, parts->event);
    if (self->member.is_connected) {
        deliver(self, event, request);
    } else if (!keep_early(self, event, request)) {
        fray_count(&self->session.worker->counters.closed_flooding);
        fray_session_close(&asker->session, FRAY_FLOODING);
    }
    fray_message_unref(event);
}

bool fray_mqtt_socket_publish(struct fray_mqtt_connection *connection,
                              const struct fray_mqtt_publish *publish)
{
    struct fray_buf text = {0};
    struct fray_room_topic parts;
    struct fray_mqtt_socket *self = NULL;
    bool is_topic = !fray_room_topic_decode(publish->topic, &text, &parts) && parts.room;
    if (is_topic && strcmp(parts.room, "me") == 0)
        self = own_socket(connection, parts.nsp);
    else if (is_topic)
        self = socket_by_sid(connection->session.worker, parts.room, parts.nsp);
    if (self)
        receive(self, connection, &parts, publish);
    else
        fray_count(&connection->session.worker->counters.mqtt_denied);
    fray_buf_deinit(&text);
    return self != NULL;
}

/* ------------------------------------------------------------------ what the namespace says */

static void send_event(struct fray_mqtt_socket *self, struct fray_slice name,
                       const struct fray_buf *body)
{
    fray_session_send_take(&self->session, fray_message_new(&(struct fray_message_parts){
                                               .kind = FRAY_MESSAGE_EVENT,
                                               .nsp = self->nsp->name,
                                               .name = name,
                                               .body = fray_buf_slice(body),
                                               .ack_id = FRAY_ACK_NONE,
                                           }));
}

static void on_accepted(struct fray_member *member, const char *socket_id, const char *pid)
{
    struct fray_mqtt_socket *self = socket_of(member->session);
    struct fray_buf body = {0};
    (void)pid; /* the client's connection is its session: there is nothing to come back to */
    FRAY_BUF_LITERAL(&body, "{\"id\":");
    fray_json_write_string(&body, fray_slice_of(socket_id));
    FRAY_BUF_LITERAL(&body, ",\"namespace\":");
    fray_json_write_string(&body, fray_slice_of(self->nsp->name));
    FRAY_BUF_LITERAL(&body, ",\"session\":");
    fray_json_write_string(&body, fray_slice_of(self->sid));
    fray_buf_append_byte(&body, '}');
    send_event(self, FRAY_SLICE("welcome"), &body);
    fray_buf_deinit(&body);
    /* A handler may end the session, which drops what is left. */
    while (self->early && member->is_connected) {
        struct fray_mqtt_early *early = self->early;
        self->early = early->next;
        deliver(self, early->event, early->request);
        fray_message_unref(early->event);
        free(early);
    }
}

static void on_rejected(struct fray_member *member, struct fray_slice error)
{
    struct fray_mqtt_socket *self = socket_of(member->session);
    struct fray_buf body = {0};
    struct fray_slice value;
    FRAY_BUF_LITERAL(&body, "{\"code\":\"refused\"");
    if (fray_json_find(error, FRAY_SLICE("message"), &value)) {
        FRAY_BUF_LITERAL(&body, ",\"message\":");
        fray_buf_append_slice(&body, value);
    }
    if (fray_json_find(error, FRAY_SLICE("data"), &value)) {
        FRAY_BUF_LITERAL(&body, ",\"data\":");
        fray_buf_append_slice(&body, value);
    }
    fray_buf_append_byte(&body, '}');
    send_event(self, FRAY_SLICE("error"), &body);
    fray_buf_deinit(&body);
    fray_session_close(&self->session, FRAY_SERVER_DISCONNECTED);
}

static void on_disconnected(struct fray_member *member, bool close_session)
{
    struct fray_session *session = member->session;
    struct fray_mqtt_connection *connection =
        fray_mqtt_connection_at(session->worker, socket_of(session)->connection);
    if (!close_session || !connection) {
        fray_session_close(session, FRAY_SERVER_DISCONNECTED);
        return;
    }
    session->link->ops->flush(session->link); /* its last words go before the connection's */
    connection->close_reason = FRAY_MQTT_ADMINISTRATIVE_ACTION;
    fray_session_close(&connection->session, FRAY_SERVER_DISCONNECTED);
}

static const struct fray_member_ops member_ops = {
    .on_accepted = on_accepted,
    .on_rejected = on_rejected,
    .on_disconnected = on_disconnected,
};

/* ------------------------------------------------------------------ ending */

void fray_mqtt_sockets_close(struct fray_mqtt_connection *connection, enum fray_disconnect reason)
{
    while (connection->sockets) {
        struct fray_mqtt_socket *self = connection->sockets;
        connection->sockets = self->next;
        fray_session_close(&self->session, reason);
    }
}

void fray_mqtt_sockets_writable(struct fray_mqtt_connection *connection)
{
    for (struct fray_mqtt_socket *self = connection->sockets; self; self = self->next) {
        self->link.is_writable = true;
        fray_session_on_writable(&self->session);
    }
}

static void on_drained(struct fray_session *session)
{
    fray_member_drained(&socket_of(session)->member);
}

static void drop_early(struct fray_mqtt_socket *self)
{
    for (struct fray_mqtt_early *early = self->early, *next; early; early = next) {
        next = early->next;
        fray_message_unref(early->event);
        free(early);
    }
    self->early = NULL;
}

static void on_close(struct fray_session *session, enum fray_disconnect reason)
{
    struct fray_mqtt_socket *self = socket_of(session);
    struct fray_mqtt_connection *connection =
        fray_mqtt_connection_at(session->worker, self->connection);
    struct fray_mqtt_socket **link = connection ? &connection->sockets : NULL;
    while (link && *link && *link != self)
        link = &(*link)->next;
    if (link && *link)
        *link = self->next;
    drop_early(self);
    for (size_t i = 0; self->requests && i < FRAY_MQTT_REQUESTS_MAX; i++)
        request_clear(&self->requests[i]);
    free(self->requests);
    self->requests = NULL;
    fray_member_end(&self->member, reason);
    if (connection && reason == FRAY_SLOW_READER) /* it missed what it should not have */
        fray_session_close(&connection->session, reason);
}

static const struct fray_protocol protocol = {
    .name = "mqtt",
    .member_ops = &member_ops,
    .on_drained = on_drained,
    .on_close = on_close,
};
