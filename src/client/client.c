/* The public face (fray/client.h): connects, talks in the envelope's JSON (docs/games.md), and
 * hands packets to the netcode of the match that it is in. */
#include "fray/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/link.h"
#include "client/netcode.h"
#include "client/url.h"
#include "fray/games.h"
#include "game/catalog.h"
#include "net/tls.h"
#include "wire/websocket_frame.h"

enum {
    MESSAGE_MAX = 1 << 20,
    CLOGGED = 4096, /* bytes that wait on the way out: more are old before they arrive */
    RETRY_MS = 300,
    RETRY_MAX_MS = 3000,
    CLOSE_REFUSED = 1008,
    CLOSE_APPLICATION = 4000, /* and above: the server means it */
    MATCH_ID_SIZE = 32,
    TOKEN_SIZE = 64,
    ROOM_SIZE = 64,
    UNSENT_MAX = 64,
    BATCH_MAX = 4, /* inputs in a packet: the oldest of more would be too late */
};

struct fray_clients {
    struct fray_loop *loop;
    struct fray_websocket_hash hash;
    struct fray_tls_context *tls[2]; /* by trusts_any_certificate; NULL: not needed yet */
    struct fray_client *first;
};

struct fray_client {
    fray_clients *clients;
    struct fray_client *next, **link_to_this;
    struct fray_client_config config;
    struct fray_client_url url;
    struct fray_tls_context *tls; /* the clients'; NULL: plain */
    char *path;                   /* of the request */
    uint16_t *smooth_fields;      /* see struct fray_client_smoothing */
    uint32_t smooth_fields_count;

    struct fray_client_link *link; /* NULL: between two */
    unsigned address;              /* of url.addresses: this attempt's, or the next one's */
    unsigned untried;              /* others of them, before it is told and waited */
    struct fray_timer timer;       /* of the next attempts, or the netcode's next tick */
    unsigned retry_ms;
    bool is_open, is_over;
    char **unsent; /* messages that wait for the connection */
    size_t unsent_count;
    bool owes_leave; /* the first of them gives up a seat, and stays */

    char match[MATCH_ID_SIZE], token[TOKEN_SIZE], room[ROOM_SIZE];
    uint32_t seat;
    json_t *roster;         /* the newest `match`, or NULL */
    bool is_returning;      /* it has asked for the place that it had */
    bool is_playing;        /* netcode is in use */
    bool has_told_of_rules; /* in this match: on_other_rules */
    struct fray_netcode netcode;
    void *memory; /* of the netcode */
    uint64_t bytes_in, bytes_out, packets_in, packets_out, reconnects;
};

static uint64_t now_us(const fray_client *client)
{
    return client->clients->loop->now_us;
}

const struct fray_game *fray_client_rules(const char *game)
{
    return fray_catalog_find(fray_games_builtin, fray_slice_of(game));
}

/* ------------------------------------------------------------------ the loop */

fray_clients *fray_clients_create(void)
{
    struct fray_loop *loop = fray_loop_epoll_create();
    if (!loop)
        return NULL;
    fray_clients *clients = fray_alloc_zero(sizeof *clients);
    clients->loop = loop;
    fray_websocket_hash_init(&clients->hash);
    return clients;
}

void fray_clients_turn(fray_clients *clients, unsigned wait_ms)
{
    fray_loop_turn(clients->loop, (uint64_t)wait_ms * 1000);
}

/* ------------------------------------------------------------------ what is sent */

/* Takes the text. */
static void text_send(fray_client *client, char *text)
{
    client->bytes_out += strlen(text);
    fray_client_link_send(client->link, fray_slice_of(text), false);
    free(text);
}

static void text_keep(fray_client *client, char *text)
{
    client->unsent =
        fray_realloc(client->unsent, (client->unsent_count + 1) * sizeof *client->unsent);
    client->unsent[client->unsent_count++] = text;
}

static void say_unsent(fray_client *client)
{
    for (size_t i = 0; i < client->unsent_count; i++)
        text_send(client, client->unsent[i]);
    client->unsent_count = 0;
    client->owes_leave = false;
}

static void forget_unsent(fray_client *client, size_t kept)
{
    while (client->unsent_count > kept)
        free(client->unsent[--client->unsent_count]);
}

enum fray_err fray_client_send(fray_client *client, const char *type, json_t *content)
{
    json_t *message = json_pack("{s:s, s:o*}", "type", type, "content", content);
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    json_decref(message);
    bool is_crowded = !client->is_open && client->unsent_count == UNSENT_MAX;
    enum fray_err err = !text             ? FRAY_ERR_TYPE
                        : client->is_over ? FRAY_ERR_CLOSED
                        : is_crowded      ? FRAY_ERR_LIMIT
                                          : FRAY_OK;
    if (err)
        free(text);
    else if (client->is_open)
        text_send(client, text);
    else
        text_keep(client, text);
    return err;
}

/* NULL is what could not be packed. */
static enum fray_err send_packed(fray_client *client, const char *type, json_t *content)
{
    return content ? fray_client_send(client, type, content) : FRAY_ERR_TYPE;
}

enum fray_err fray_client_quick_play(fray_client *client, const char *game)
{
    return send_packed(client, "quick_play", json_pack("{s:s}", "game", game));
}

enum fray_err fray_client_create_match(fray_client *client, const char *game, json_t *options)
{
    return send_packed(client, "create",
                       json_pack("{s:s, s:o*}", "game", game, "options", options));
}

enum fray_err fray_client_join(fray_client *client, const char *match, bool as_spectator)
{
    return send_packed(
        client, "join",
        json_pack("{s:s, s:s}", "match", match, "as", as_spectator ? "spectator" : "player"));
}

enum fray_err fray_client_chat(fray_client *client, const char *text)
{
    return send_packed(client, "chat_message",
                       json_pack("{s:s, s:s}", "room", client->room, "text", text));
}

static void packet_send(void *context, const void *packet, size_t len)
{
    fray_client *client = context;
    if (!client->is_open || !client->is_playing)
        return;
    client->packets_out++;
    client->bytes_out += len;
    fray_client_link_send(client->link, fray_slice(packet, len), true);
}

/* ------------------------------------------------------------------ the match */

/* A handler may leave the match, or end the client, while its netcode has more to tell. */
static void tell_event(void *context, const struct fray_game_event *event, uint32_t tick)
{
    fray_client *client = context;
    if (client->is_playing && client->config.on_event)
        client->config.on_event(client, event, tick, client->config.app);
}

static void tell_events_lost(void *context)
{
    fray_client *client = context;
    if (client->is_playing && client->config.on_events_lost)
        client->config.on_events_lost(client, client->config.app);
}

static void tell_desync(void *context, uint32_t tick, uint64_t own, uint64_t server)
{
    fray_client *client = context;
    if (client->is_playing && own != server && client->config.on_desync)
        client->config.on_desync(client, tick, client->config.app);
}

__attribute__((format(printf, 2, 3))) static void tell_other_rules(fray_client *client,
                                                                   const char *format, ...)
{
    char message[320];
    va_list arguments;

    if (!client->is_playing || client->has_told_of_rules)
        return;
    client->has_told_of_rules = true;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (client->config.on_other_rules)
        client->config.on_other_rules(client, message, client->config.app);
}

static void compare_rules(void *context)
{
    fray_client *client = context;
    const struct fray_game *rules = client->config.rules;

    if (!client->netcode.has_same_rules)
        tell_other_rules(client,
                         "The server plays other rules of %s than this program, which has version "
                         "%u. Nothing is predicted, and what is shown may be wrong: build the "
                         "program anew, from the server's sources.",
                         rules->name, rules->version);
}

static void hear_refusal(void *context, uint8_t code)
{
    fray_client *client = context;

    if (code == FRAY_REFUSED_VERSION)
        tell_other_rules(client,
                         "The server has other game packets than this program, whose are of "
                         "version %d. Nothing of %s is shown or predicted: build the program anew, "
                         "with the server's fray.",
                         FRAY_PACKET_VERSION, client->config.rules->name);
}

static void match_forget(fray_client *client)
{
    client->is_playing = client->is_returning = false;
    if (client->memory) /* handlers further up may be its netcode's */
        fray_loop_release(client->clients->loop, client->memory);
    client->memory = NULL;
    client->match[0] = client->token[0] = client->room[0] = '\0';
    client->seat = FRAY_GAME_NOBODY;
}

void fray_client_leave(fray_client *client)
{
    bool holds_seat = !client->is_open && client->token[0];
    json_t *seat =
        holds_seat ? json_pack("{s:s, s:s}", "match", client->match, "token", client->token) : NULL;
    match_forget(client);
    forget_unsent(client, client->owes_leave); /* a wish to play may be among it */
    client->owes_leave = client->owes_leave || holds_seat;
    if (client->is_open || holds_seat)
        (void)fray_client_send(client, "leave", seat);
}

static void tick(fray_client *client)
{
    if (!client->is_playing || !client->is_open)
        return;
    client->netcode.is_clogged = fray_client_link_waiting(client->link) > CLOGGED;
    fray_netcode_advance(&client->netcode, now_us(client));
    if (client->is_playing) /* a handler may have left */
        fray_timer_arm(&client->clients->loop->timers, &client->timer,
                       fray_netcode_due(&client->netcode));
}

static void copy_text(char *to, size_t size, const json_t *content, const char *key)
{
    const char *text = json_string_value(json_object_get(content, key));
    snprintf(to, size, "%s", text ? text : "");
}

static void netcode_begin(fray_client *client)
{
    const struct fray_client_config *config = &client->config;
    unsigned batch = config->input_batch;
    client->memory = fray_alloc_zero(fray_netcode_size(config->rules));
    fray_netcode_init(&client->netcode,
                      &(struct fray_netcode_config){
                          .game = config->rules,
                          .seat = client->seat,
                          .snapshot_hz = (uint8_t)config->snapshot_hz,
                          .input_batch = batch < BATCH_MAX ? (uint8_t)batch : BATCH_MAX,
                          .is_stream = true,
                          .no_prediction = config->no_prediction,
                          .snap_px = config->snap_px,
                          .smoothing = {.teleport_px = config->teleport_px,
                                        .fields = client->smooth_fields,
                                        .fields_count = client->smooth_fields_count},
                          .send = packet_send,
                          .on_event = tell_event,
                          .on_events_lost = tell_events_lost,
                          .on_welcome = compare_rules,
                          .on_hash = tell_desync,
                          .on_refused = hear_refusal,
                          .context = client,
                      },
                      client->memory, now_us(client));
    client->is_playing = true;
}

static void on_joined(fray_client *client, const json_t *content)
{
    const struct fray_game *rules = client->config.rules;
    const char *game = json_string_value(json_object_get(content, "game"));
    const json_t *seat = json_object_get(content, "seat");
    char match[MATCH_ID_SIZE];
    uint32_t number = json_is_integer(seat) ? (uint32_t)json_integer_value(seat) : FRAY_GAME_NOBODY;

    copy_text(match, sizeof match, content, "match");
    bool is_same = strcmp(match, client->match) == 0, is_ours;
    is_ours = game && rules && rules->tick_hz && strcmp(game, rules->name) == 0 &&
              (number < rules->seats_max || number == FRAY_GAME_NOBODY);
    if (!is_same || number != client->seat)
        match_forget(client);
    client->has_told_of_rules = client->has_told_of_rules && is_same;
    memcpy(client->match, match, sizeof match);
    copy_text(client->token, sizeof client->token, content, "token");
    copy_text(client->room, sizeof client->room, content, "room");
    client->seat = number;
    client->is_returning = false;
    if (client->is_playing)
        fray_netcode_restart(&client->netcode, true, now_us(client));
    else if (is_ours)
        netcode_begin(client);
    tick(client);
}

/* ------------------------------------------------------------------ what arrives */

static bool is_about_this_match(const fray_client *client, const json_t *content)
{
    const char *match = json_string_value(json_object_get(content, "match"));
    return match && strcmp(match, client->match) == 0;
}

/* The place that this client came back for is gone meanwhile. */
static bool is_place_lost(const fray_client *client, const json_t *content)
{
    const char *type = json_string_value(json_object_get(content, "type"));
    const char *asked = client->token[0] ? "reconnect" : "join";
    return client->is_returning && type && strcmp(type, asked) == 0;
}

/* Acknowledging is a sign of life, and lets the server measure the way. */
static void on_matchmaking(fray_client *client, const json_t *message)
{
    const char *phase =
        json_string_value(json_object_get(json_object_get(message, "content"), "phase"));
    json_t *id = json_object_get(message, "id");

    if (id) {
        json_t *ack = json_pack("{s:s, s:O, s:{}}", "type", "ack", "id", id, "content");
        text_send(client, json_dumps(ack, JSON_COMPACT));
        json_decref(ack);
    }
    if (client->is_playing && phase && strcmp(phase, "agreed") == 0)
        fray_netcode_clock_reset(&client->netcode);
}

/* It comes before `joined`, too. */
static void roster_keep(fray_client *client, const json_t *content)
{
    json_decref(client->roster);
    client->roster = json_deep_copy(content);
}

static void on_text(void *context, struct fray_slice text)
{
    fray_client *client = context;
    client->bytes_in += text.len;
    json_t *message = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(message, "type"));
    const json_t *content = json_object_get(message, "content");
    if (type && strcmp(type, "joined") == 0)
        on_joined(client, content);
    else if (type && strcmp(type, "matchmaking") == 0)
        on_matchmaking(client, message);
    else if (type && (strcmp(type, "kicked") == 0 || strcmp(type, "match_closed") == 0) &&
             is_about_this_match(client, content))
        match_forget(client);
    else if (type && strcmp(type, "error") == 0 && is_place_lost(client, content))
        match_forget(client);
    else if (type && strcmp(type, "match") == 0)
        roster_keep(client, content);
    bool is_ended = !client->link; /* by a handler */
    if (type && !is_ended && client->config.on_message)
        client->config.on_message(client, type, content, client->config.app);
    json_decref(message);
}

static void on_binary(void *context, struct fray_slice bytes)
{
    fray_client *client = context;
    client->bytes_in += bytes.len;
    client->packets_in++;
    if (!client->is_playing)
        return;
    (void)fray_netcode_receive(&client->netcode, bytes.data, bytes.len, now_us(client));
    tick(client);
}

static void on_open(void *context)
{
    fray_client *client = context;
    client->is_open = true;
    client->retry_ms = 0;
    client->is_returning = client->match[0];
    if (client->match[0] && client->token[0])
        (void)fray_client_send(
            client, "reconnect",
            json_pack("{s:s, s:s}", "match", client->match, "token", client->token));
    else if (client->match[0])
        (void)fray_client_join(client, client->match, true);
    say_unsent(client);
}

/* ------------------------------------------------------------------ connecting */

static void on_end(void *context, unsigned code, struct fray_slice reason);

static const struct fray_client_link_handler link_handler = {
    .on_open = on_open, .on_text = on_text, .on_binary = on_binary, .on_end = on_end};

static void retry_later(fray_client *client)
{
    client->retry_ms = client->retry_ms ? client->retry_ms * 2 : RETRY_MS;
    if (client->retry_ms > RETRY_MAX_MS)
        client->retry_ms = RETRY_MAX_MS;
    fray_timer_arm(&client->clients->loop->timers, &client->timer,
                   now_us(client) + client->retry_ms * UINT64_C(1000));
}

static void attempt(fray_client *client)
{
    client->link = fray_client_link_open(client->clients->loop, &client->clients->hash,
                                         &(struct fray_client_link_opening){
                                             .address = client->url.addresses[client->address],
                                             .host = fray_slice_of(client->url.host),
                                             .path = fray_slice_of(client->path),
                                             .tls = client->tls,
                                             .server = client->url.name,
                                             .max_message = MESSAGE_MAX,
                                             .handler = &link_handler,
                                             .context = client,
                                         });
    if (!client->link)
        on_end(client, FRAY_CLIENT_LINK_UNANSWERED, (struct fray_slice){0});
}

static void on_end(void *context, unsigned code, struct fray_slice reason)
{
    fray_client *client = context;
    char text[128];
    snprintf(text, sizeof text, "%.*s", (int)reason.len, reason.data ? reason.data : "");
    if (client->link)
        fray_client_link_close(client->link, code);
    client->link = NULL;
    if (!client->is_open) /* an address that worked is kept */
        client->address = (client->address + 1) % client->url.addresses_count;
    client->reconnects += client->is_open;
    client->is_open = false;
    if (code == FRAY_CLIENT_LINK_UNANSWERED) {
        if (client->untried) {
            client->untried--;
            attempt(client);
            return;
        }
        code = FRAY_WEBSOCKET_CLOSE_ABNORMAL;
        snprintf(text, sizeof text, "There is no connection to the server.");
    }
    client->is_over = code == CLOSE_REFUSED || code >= CLOSE_APPLICATION;
    if (!client->is_over)
        retry_later(client);
    if (client->config.on_lost)
        client->config.on_lost(client, code, text, client->is_over, client->config.app);
}

/* Each of the host's addresses, until one answers. */
static void attempt_all(fray_client *client)
{
    client->untried = client->url.addresses_count - 1;
    attempt(client);
}

static void on_timer(struct fray_timer *timer, uint64_t at_us)
{
    fray_client *client = (fray_client *)((char *)timer - offsetof(struct fray_client, timer));
    (void)at_us;
    if (client->link)
        tick(client);
    else if (!client->is_over)
        attempt_all(client);
}

/* ------------------------------------------------------------------ making and ending */

static void path_make(fray_client *client)
{
    struct fray_buf path = {0};
    fray_buf_append(&path, client->url.path, strlen(client->url.path));
    FRAY_BUF_LITERAL(&path, "/ws?namespace=/games");
    fray_client_url_append(&path, "name", client->config.name);
    fray_client_url_append(&path, "token", client->config.token);
    client->path = fray_strndup(path.data, path.len);
    fray_buf_deinit(&path);
}

/* "players.aim_x" as its table's and its own number; what there is not is left out. */
static bool smooth_field_find(const struct fray_game *game, const char *name, uint16_t *number)
{
    const char *dot = strchr(name, '.');
    for (uint32_t t = 0; dot && t < game->tables_count; t++) {
        const struct fray_game_table *table = &game->tables[t];
        const struct fray_game_field *field = fray_game_field(table, dot + 1);
        if (!field || strlen(table->name) != (size_t)(dot - name) ||
            memcmp(table->name, name, (size_t)(dot - name)) != 0)
            continue;
        *number = (uint16_t)(t << 8 | (uint32_t)(field - table->fields));
        return true;
    }
    return false;
}

static void smooth_fields_make(fray_client *client)
{
    const char *const *names = client->config.interpolate;
    uint32_t count = 0;
    while (names && names[count])
        count++;
    if (!count || !client->config.rules)
        return;
    client->smooth_fields = fray_alloc(count * sizeof *client->smooth_fields);
    for (uint32_t i = 0; i < count; i++)
        client->smooth_fields_count += smooth_field_find(
            client->config.rules, names[i], &client->smooth_fields[client->smooth_fields_count]);
}

/* Reading all authorities of a machine takes a while: once, and by who needs them. */
static struct fray_tls_context *tls_of(fray_clients *clients, bool trusts_anyone)
{
    struct fray_tls_context **tls = &clients->tls[trusts_anyone];
    if (!*tls)
        *tls = fray_tls_context_create_client(trusts_anyone);
    return *tls;
}

static void client_free(fray_client *client)
{
    forget_unsent(client, 0);
    free(client->unsent);
    free(client->smooth_fields);
    json_decref(client->roster);
    free(client->path);
    fray_client_url_deinit(&client->url);
    fray_loop_release(client->clients->loop, client); /* handlers further up may look at it */
}

fray_client *fray_client_create(fray_clients *clients, const struct fray_client_config *config)
{
    fray_client *client = fray_alloc_zero(sizeof *client);
    client->clients = clients;
    client->config = *config;
    client->seat = FRAY_GAME_NOBODY;
    client->timer.on_expire = on_timer;
    if (!fray_client_url_find(&client->url, config->url)) {
        client_free(client);
        return NULL;
    }
    path_make(client);
    smooth_fields_make(client);
    client->config.name = client->config.token = client->config.url = NULL; /* the caller's */
    client->config.interpolate = NULL;
    if (client->url.is_tls)
        client->tls = tls_of(clients, config->trusts_any_certificate);
    client->next = clients->first;
    client->link_to_this = &clients->first;
    if (client->next)
        client->next->link_to_this = &client->next;
    clients->first = client;
    fray_timer_arm(&clients->loop->timers, &client->timer, now_us(client)); /* in the next turn */
    return client;
}

static void client_end(fray_client *client, unsigned close_code)
{
    if (client->link)
        fray_client_link_close(client->link, close_code);
    client->link = NULL;
    client->is_open = false;
    match_forget(client);
    fray_timer_cancel(&client->clients->loop->timers, &client->timer);
    *client->link_to_this = client->next;
    if (client->next)
        client->next->link_to_this = client->link_to_this;
    client_free(client);
}

void fray_client_destroy(fray_client *client)
{
    if (client->is_open && client->match[0])
        (void)fray_client_send(client, "leave", NULL);
    client_end(client, FRAY_WEBSOCKET_CLOSE_NORMAL);
}

void fray_clients_destroy(fray_clients *clients)
{
    while (clients->first)
        client_end(clients->first, FRAY_WEBSOCKET_CLOSE_GOING_AWAY);
    fray_loop_turn(clients->loop, 0); /* what was closed goes with its turn */
    fray_loop_destroy(clients->loop);
    fray_websocket_hash_deinit(&clients->hash);
    for (unsigned i = 0; i < 2; i++) {
        if (clients->tls[i])
            fray_tls_context_destroy(clients->tls[i]);
    }
    free(clients);
}

/* ------------------------------------------------------------------ what there is to see */

const char *fray_client_match(const fray_client *client)
{
    return client->match;
}

uint32_t fray_client_seat(const fray_client *client)
{
    return client->seat;
}

void *fray_client_input(fray_client *client)
{
    return client->is_playing ? client->netcode.inputs.held : NULL;
}

const char *fray_client_name(const fray_client *client, uint32_t seat)
{
    if (!is_about_this_match(client, client->roster))
        return NULL;
    const json_t *seats = json_object_get(client->roster, "seats");
    for (size_t i = 0; i < json_array_size(seats); i++) {
        const json_t *one = json_array_get(seats, i);
        if (json_integer_value(json_object_get(one, "seat")) == seat)
            return json_string_value(json_object_get(one, "name"));
    }
    return NULL;
}

const void *fray_client_predicted(fray_client *client)
{
    return client->is_playing ? fray_netcode_predicted(&client->netcode) : NULL;
}

const void *fray_client_drawn(fray_client *client)
{
    return client->is_playing ? fray_netcode_drawn(&client->netcode, now_us(client)) : NULL;
}

const void *fray_client_interpolated(fray_client *client)
{
    return client->is_playing ? fray_netcode_interpolated(&client->netcode, now_us(client)) : NULL;
}

const void *fray_client_newest(const fray_client *client)
{
    return client->is_playing ? fray_netcode_newest(&client->netcode) : NULL;
}

void fray_client_stats(fray_client *client, struct fray_client_stats *stats)
{
    const struct fray_netcode *netcode = &client->netcode;
    *stats = (struct fray_client_stats){
        .bytes_in = client->bytes_in,
        .bytes_out = client->bytes_out,
        .packets_in = client->packets_in,
        .packets_out = client->packets_out,
        .reconnects = client->reconnects,
        .dilation = 1,
    };
    if (!client->is_playing)
        return;
    uint64_t sent = netcode->snapshots.received + netcode->snapshots.missed;
    stats->rtt_ms = netcode->clock.rtt_us / 1000;
    stats->jitter_ms = netcode->clock.jitter_us / 1000;
    stats->loss = sent ? (double)netcode->snapshots.missed / (double)sent : 0;
    stats->snapshot_age_ms =
        netcode->arrived_us ? (double)(now_us(client) - netcode->arrived_us) / 1000 : 0;
    stats->interpolation_delay_ms = netcode->playback.delay_us / 1000;
    stats->server_tick = fray_netcode_server_tick(netcode, now_us(client));
    stats->input_margin = netcode->pace.margin;
    stats->dilation = netcode->pace.rate;
    stats->snapshots = netcode->snapshots.received;
    stats->corrections = netcode->prediction.corrections;
    stats->correction_px = netcode->prediction.correction_px;
    stats->desyncs = netcode->desyncs;
    stats->refused = netcode->refused;
    stats->is_lagging = netcode->interpolation.is_lagging;
}
