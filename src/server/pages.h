/* The pages inside the program (web/): landing page, lobby, games, SDK, docs. They are about games:
 * a program that hosts none has none of them, and one that does serves
 *
 *     /sdk/…, /games/GAME.wasm      always, for pages elsewhere, too
 *     /games/GAME.json              likewise: what fray_game_describe says of it
 *     all else                      where the option `pages` says so
 *     /games/GAME/                  that game's own page, or else the playground, which any game
 * has /                             the landing page, which shows an arena; without that, the lobby
 *
 * Files of static_dir lie over all of it (app_routes.c). Only read: any thread. Inside src/server
 * only. */
#ifndef FRAY_SERVER_PAGES_H
#define FRAY_SERVER_PAGES_H

#include "server/server.h"

/* Answers a GET or HEAD. False, and nothing happened: there is no such page. `path` as in
 * fray_embedded_serve. */
bool fray_pages_serve(const fray_server *server, fray_request *request, struct fray_slice path);

#endif
