/* What the sources of a game's module share: FRAY_WASM_GAME names the game's table. */
#ifndef FRAY_WASM_MODULE_H
#define FRAY_WASM_MODULE_H

#include "fray/game.h"

#define EXPORT(name) __attribute__((export_name(#name), used))

extern const struct fray_game FRAY_WASM_GAME;

/* 8-byte aligned, zeroed, never given back. NULL when the browser grants no more. */
void *wasm_alloc(size_t size);

#endif
