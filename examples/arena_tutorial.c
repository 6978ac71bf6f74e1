/* The arena of the Socket.IO tutorial, its page unchanged. From the tree's root:
 * build/release/examples/arena_tutorial, then open http://localhost:5000 in two windows, move with
 * the arrow keys and attack with Space. */
#include <fray/fray.h>
#include <math.h>

struct player {
    double x, y;
    int hp;
};

/* {id, position}, as in new_player and player_moved. */
static json_t *describe(fray_socket *socket)
{
    const struct player *player = fray_socket_data(socket);
    return json_pack("{s:s, s:{s:f, s:f, s:i}}", "id", fray_socket_id(socket), "position", "x",
                     player->x, "y", player->y, "hp", player->hp);
}

static void introduce(fray_socket *present, void *newcomer)
{
    fray_emit(newcomer, "new_player", "o", describe(present));
}

static void on_connect(fray_socket *socket, void *app)
{
    fray_namespace *arena = fray_socket_namespace(socket);
    struct player *player = fray_socket_data(socket);
    (void)app;
    *player = (struct player){(double)(fray_random(arena) % 101),
                              (double)(fray_random(arena) % 101), .hp = 100};
    fray_broadcast_except(socket, "new_player", "o", describe(socket));
    /* The tutorial stops here, so that a newcomer knows nobody, not even itself. */
    fray_namespace_each(arena, NULL, introduce, socket);
}

static void on_disconnect(fray_socket *socket, enum fray_disconnect reason, void *app)
{
    (void)reason;
    (void)app;
    fray_broadcast(fray_socket_namespace(socket), "player_left", "{s:s}", "id",
                   fray_socket_id(socket));
}

static void on_move(fray_socket *socket, const fray_event *event, void *app)
{
    struct player *player = fray_socket_data(socket);
    double x, y;
    (void)app;
    if (fray_event_unpack(event, "{s:F, s:F}", "x", &x, "y", &y))
        return; /* another shape: the sender has been told */
    player->x = x;
    player->y = y;
    fray_broadcast(fray_socket_namespace(socket), "player_moved", "o", describe(socket));
}

static void hit_if_near(fray_socket *target, void *attacker)
{
    const struct player *from = fray_socket_data(attacker);
    struct player *player = fray_socket_data(target);
    if (target == attacker || hypot(from->x - player->x, from->y - player->y) > 10)
        return;
    fray_namespace *arena = fray_socket_namespace(target);
    const char *id = fray_socket_id(target);
    player->hp -= 10;
    if (player->hp <= 0)
        fray_broadcast(arena, "player_killed", "{s:s}", "id", id);
    fray_broadcast(arena, "player_attacked", "{s:s, s:i}", "id", id, "hp", player->hp);
}

static void on_attack(fray_socket *socket, const fray_event *event, void *app)
{
    (void)event;
    (void)app;
    fray_namespace_each(fray_socket_namespace(socket), NULL, hit_if_near, socket);
}

int main(int argc, char **argv)
{
    return fray_main(argc, argv,
                     &(struct fray_app){
                         .socket_data_size = sizeof(struct player),
                         .on_connect = on_connect,
                         .on_disconnect = on_disconnect,
                         .events = {{"move", on_move}, {"attack", on_attack}},
                         .static_dir = "examples/arena_tutorial",
                         .settings = {{"listen", "0.0.0.0:5000"}, {"cors_origin", "*"}},
                     });
}
