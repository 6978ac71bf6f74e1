/* For tests: a namespace whose home is the first of two fake workers, and clients on either of them
 * whose protocol writes a readable line for each message. */
#ifndef FRAY_ROOM_ROOM_FAKE_H
#define FRAY_ROOM_ROOM_FAKE_H

#include "room/namespace.h"
#include "session/session_fake.h"

struct fake_party;

/* Owned by the test, so that it can be looked at after its session went. */
struct fake_client {
    struct fake_link link;
    struct fake_party *party; /* NULL once its session closed */
    char id[FRAY_TOKEN_LEN + 1], pid[FRAY_TOKEN_LEN + 1];
    char error[256]; /* of the rejection */
    unsigned accepted, rejected, disconnected;
    bool was_told_to_close;
};

struct fake_party {
    struct fray_session session; /* first */
    struct fray_member member;
    struct fake_client *client;
};

struct fake_house {
    struct fake_worker workers[2];
    struct fray_worker *all[2];
    fray_namespace *nsp;
    struct fray_buf said; /* what the application's handlers wrote down, for fake_house_said */
};

/* event(args), event(args)?ack-id, ack ack-id(args); `@offset` and `+attachments` behind them. */
static inline const struct fray_encoding *
fake_encode(struct fray_worker *worker, struct fray_message *message, enum fray_framing framing)
{
    (void)framing;
    const struct fray_encoding *known = fray_message_encoding(message, FRAY_FORM_BARE_WEBSOCKET);
    if (known)
        return known;
    struct fray_buf *out = &worker->scratch;
    out->len = 0;
    if (message->kind == FRAY_MESSAGE_ACK)
        fray_buf_printf(out, "ack %d", (int)message->ack_id);
    else
        fray_buf_append_slice(out, message->name);
    fray_buf_printf(out, "(%.*s)", (int)message->body.len, message->body.data);
    if (message->kind == FRAY_MESSAGE_EVENT && message->ack_id != FRAY_ACK_NONE)
        fray_buf_printf(out, "?%d", (int)message->ack_id);
    if (message->offset)
        fray_buf_printf(out, "@%u", (unsigned)message->offset);
    if (message->attachments_count)
        fray_buf_printf(out, "+%u", message->attachments_count);
    fray_buf_append_byte(out, '\n');
    return fray_message_encode(message, FRAY_FORM_BARE_WEBSOCKET, fray_buf_slice(out));
}

static inline void fake_on_frame(struct fray_session *session, struct fray_link *link,
                                 struct fray_slice frame, bool is_binary)
{
    (void)session, (void)link, (void)frame, (void)is_binary;
}

static inline void fake_on_link_end(struct fray_session *session, struct fray_link *link,
                                    enum fray_disconnect reason)
{
    (void)link;
    fray_session_close(session, reason);
}

static inline void fake_on_drained(struct fray_session *session)
{
    fray_member_drained(&((struct fake_party *)session)->member);
}

static inline void fake_on_close(struct fray_session *session, enum fray_disconnect reason)
{
    struct fake_party *party = (struct fake_party *)session;
    party->client->party = NULL;
    fray_member_end(&party->member, reason);
}

static inline struct fake_client *fake_client_of(struct fray_member *member)
{
    return ((struct fake_party *)member->session)->client;
}

static inline void fake_on_accepted(struct fray_member *member, const char *socket_id,
                                    const char *pid)
{
    struct fake_client *client = fake_client_of(member);
    client->accepted++;
    memcpy(client->id, socket_id, strlen(socket_id) + 1);
    memcpy(client->pid, pid, strlen(pid) + 1);
}

static inline void fake_on_rejected(struct fray_member *member, struct fray_slice error)
{
    struct fake_client *client = fake_client_of(member);
    client->rejected++;
    assert(error.len < sizeof client->error);
    memcpy(client->error, error.data, error.len);
    client->error[error.len] = '\0';
}

static inline void fake_on_disconnected(struct fray_member *member, bool close_session)
{
    struct fake_client *client = fake_client_of(member);
    client->disconnected++;
    client->was_told_to_close = close_session;
    if (close_session)
        fray_session_close(member->session, FRAY_SERVER_DISCONNECTED);
}

/* A session without a namespace yet. */
static inline void fake_client_open(struct fake_client *client, struct fake_worker *worker)
{
    static const struct fray_member_ops ops = {
        .on_accepted = fake_on_accepted,
        .on_rejected = fake_on_rejected,
        .on_disconnected = fake_on_disconnected,
    };
    static const struct fray_protocol protocol = {
        .name = "fake",
        .member_ops = &ops,
        .encode = fake_encode,
        .on_frame = fake_on_frame,
        .on_link_end = fake_on_link_end,
        .on_drained = fake_on_drained,
        .on_close = fake_on_close,
    };
    *client = (struct fake_client){0};
    fake_link_init(&client->link, FRAY_FRAMING_WEBSOCKET);
    client->party = fray_session_open(&protocol, &worker->base, sizeof *client->party);
    client->party->client = client;
    client->party->member.session = &client->party->session;
    fray_session_attach(&client->party->session, &client->link.link);
}

/* `auth`, `pid` and `offset` may be NULL. */
static inline void fake_client_connect(struct fake_client *client, fray_namespace *nsp,
                                       const char *auth, const char *pid, const char *offset)
{
    fray_member_connect(&client->party->member, nsp,
                        &(struct fray_connect_request){
                            .auth = fray_slice_of(auth),
                            .pid = fray_slice_of(pid),
                            .offset = fray_slice_of(offset),
                        });
}

static inline void fake_client_send(struct fake_client *client, const char *name, const char *args,
                                    int64_t ack_id)
{
    fray_member_event(&client->party->member, &(struct fray_incoming){
                                                  .name = fray_slice_of(name),
                                                  .args = fray_slice_of(args),
                                                  .ack_id = ack_id,
                                              });
}

static inline void fake_client_ack(struct fake_client *client, int64_t ack_id, const char *args)
{
    fray_member_ack(&client->party->member,
                    &(struct fray_incoming){.args = fray_slice_of(args), .ack_id = ack_id});
}

/* Its connection breaks. */
static inline void fake_client_drop(struct fake_client *client)
{
    fray_link_end(&client->link.link, FRAY_TRANSPORT_CLOSE);
}

static inline void fake_client_deinit(struct fake_client *client)
{
    if (client->party)
        fake_client_drop(client);
    fake_link_deinit(&client->link);
}

static inline void fake_house_init(struct fake_house *house, struct fray_app *app,
                                   const struct fray_namespace_options *options)
{
    *house = (struct fake_house){0};
    for (unsigned i = 0; i < 2; i++) {
        fake_worker_init(&house->workers[i], i);
        house->all[i] = &house->workers[i].base;
    }
    app->app = house;
    house->nsp = fray_namespace_create(app, FRAY_SLICE("/"), options, house->all[0], house->all[0]);
    fray_namespace_set_workers(house->nsp, house->all, 2);
}

/* Turns of both workers until nothing is on its way. */
static inline void fake_house_settle(struct fake_house *house)
{
    do {
        fake_worker_pump(&house->workers[0]);
        fake_worker_pump(&house->workers[1]);
    } while (house->workers[0].first_parcel);
}

static inline void fake_house_advance(struct fake_house *house, uint64_t ms)
{
    fake_worker_advance(&house->workers[0], ms);
    fake_worker_advance(&house->workers[1], ms);
    fake_house_settle(house);
}

/* What was said since the last call. */
static inline const char *fake_house_said(struct fake_house *house)
{
    fray_buf_append_byte(&house->said, '\0');
    house->said.len = 0;
    return house->said.data;
}

/* All clients are gone. */
static inline void fake_house_deinit(struct fake_house *house)
{
    fake_house_settle(house);
    fray_namespace_destroy(house->nsp);
    fake_worker_deinit(&house->workers[0]);
    fake_worker_deinit(&house->workers[1]);
    fray_buf_deinit(&house->said);
}

#endif
