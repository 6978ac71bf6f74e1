#include "server/pages.h"

#include "base/mem.h"
#include "fray/games.h"
#include "game/catalog.h"
#include "server/static_reply.h"

static bool serve(fray_request *request, struct fray_slice path)
{
    return fray_embedded_serve(&fray_embedded_web, request, path);
}

static void redirect_to_lobby(fray_request *request)
{
    fray_request_add_header(request, FRAY_SLICE("location"), FRAY_SLICE("./lobby/"));
    fray_request_reply_status(request, 302);
}

static void reply_description(fray_request *request, const struct fray_game *game)
{
    size_t len = fray_game_describe(game, NULL, 0);
    char *text = fray_alloc(len + 1);
    fray_game_describe(game, text, len + 1);
    fray_request_add_header(request, FRAY_SLICE("cache-control"), FRAY_SLICE("no-cache"));
    fray_request_reply(request, 200, "application/json", text, len);
    free(text);
}

static bool cut(struct fray_slice *name, struct fray_slice ending)
{
    bool is = name->len > ending.len &&
              fray_slice_equal(fray_slice_skip(*name, name->len - ending.len), ending);
    if (is)
        name->len -= ending.len;
    return is;
}

/* NAME.wasm and NAME.json. */
static bool serve_rules(const fray_server *server, fray_request *request, struct fray_slice path,
                        struct fray_slice file)
{
    bool is_module = cut(&file, FRAY_SLICE(".wasm")),
         is_description = cut(&file, FRAY_SLICE(".json"));
    const struct fray_game *game = fray_catalog_find(server->games, file);
    if (!game || !is_description)
        return game && is_module && serve(request, path);
    reply_description(request, game);
    return true;
}

/* The pages of games that only other programs host have nothing to show here. */
static bool serve_page(const fray_server *server, fray_request *request, struct fray_slice path,
                       struct fray_slice name)
{
    bool is_hosted = fray_catalog_find(server->games, name) != NULL;
    if (!is_hosted && fray_catalog_find(fray_games_builtin, name))
        return false;
    if (serve(request, path))
        return true;
    const struct fray_slice rest = fray_slice_skip(path, strlen("/games/") + name.len);
    if (is_hosted && !rest.len) {
        fray_static_redirect(request, path);
        return true;
    }
    return is_hosted && rest.len == 1 && serve(request, FRAY_SLICE("/games/playground/"));
}

static bool serve_game(const fray_server *server, fray_request *request, struct fray_slice path)
{
    struct fray_slice name = fray_slice_skip(path, strlen("/games/"));
    const char *slash = name.len ? memchr(name.data, '/', name.len) : NULL;
    if (!slash && name.len && memchr(name.data, '.', name.len))
        return serve_rules(server, request, path, name);
    if (slash)
        name.len = (size_t)(slash - name.data);
    return server->config.pages && serve_page(server, request, path, name);
}

bool fray_pages_serve(const fray_server *server, fray_request *request, struct fray_slice path)
{
    if (!server->games)
        return false;
    if (fray_slice_starts(path, FRAY_SLICE("/games/")))
        return serve_game(server, request, path);
    if (!server->config.pages && !fray_slice_starts(path, FRAY_SLICE("/sdk/")))
        return false;
    if (fray_slice_equal(path, FRAY_SLICE("/")) &&
        !fray_catalog_find(server->games, FRAY_SLICE("arena"))) {
        redirect_to_lobby(request);
        return true;
    }
    return serve(request, path);
}
