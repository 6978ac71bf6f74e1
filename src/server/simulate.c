#include "server/simulate.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "game/catalog.h"
#include "games/simulate.h"

enum { OPTIONS_MAX = 64, SETTINGS_MAX = 64 };

struct arguments {
    const struct fray_game *const *games;
    const struct fray_game *game;
    struct fray_simulate_config config;
    uint32_t ticks;
    int32_t options[OPTIONS_MAX];
    const char *replay; /* where it is written to; NULL: nowhere */
};

static bool fail(const struct arguments *arguments, const char *reason, const char *what)
{
    fprintf(stderr, "%s%s%s%s\n", reason, *what ? ": \"" : "", what, *what ? "\"." : ".");
    fprintf(stderr, "Usage: fray simulate GAME [--seed S] [--ticks N] [--bots K] [--guests G]"
                    " [--option NAME=VALUE]... [--replay FILE]\n       GAME:");
    for (const struct fray_game *const *game = arguments->games; *game; game++)
        fprintf(stderr, " %s", (*game)->name);
    fprintf(stderr, "\n");
    return false;
}

/* Digits alone: strtoull would take signs and spaces. */
static bool read_count(const struct arguments *arguments, const char *text, uint64_t most,
                       uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && !errno && *value <= most)
        return true;
    return fail(arguments, "Not a number in the range of that option", text);
}

static bool read_setting(struct arguments *arguments, const char *setting)
{
    const struct fray_game *game = arguments->game;
    const char *equals = strchr(setting, '=');
    char *end;

    for (uint32_t i = 0; equals && i < game->options_count; i++) {
        size_t len = strlen(game->options[i].name);
        if (len != (size_t)(equals - setting) || memcmp(setting, game->options[i].name, len) != 0)
            continue;
        errno = 0;
        long long value = strtoll(equals + 1, &end, 10);
        if (end == equals + 1 || *end || errno || value < INT32_MIN || value > INT32_MAX)
            break;
        arguments->options[i] = (int32_t)value;
        return true;
    }
    return fail(arguments, "The game has no such option, or not with that value", setting);
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},
        {"ticks", required_argument, NULL, 't'},
        {"bots", required_argument, NULL, 'b'},
        {"guests", required_argument, NULL, 'g'},
        {"option", required_argument, NULL, 'o'},
        {"replay", required_argument, NULL, 'r'},
        {0},
    };
    static const struct {
        char letter;
        uint64_t most;
    } counts[] = {{'s', UINT64_MAX}, {'t', UINT32_MAX}, {'b', 255}, {'g', 255}};
    uint64_t values[FRAY_GAME_COUNT(counts)] = {1, 10000, 2, UINT64_MAX};
    const char *settings[SETTINGS_MAX];
    int letter, settings_count = 0;

    while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
        size_t i = 0;
        while (i < FRAY_GAME_COUNT(counts) && counts[i].letter != letter)
            i++;
        if (letter == 'o' && settings_count < SETTINGS_MAX)
            settings[settings_count++] = optarg;
        else if (letter == 'r')
            arguments->replay = optarg;
        else if (i == FRAY_GAME_COUNT(counts))
            return fail(arguments, "That is no option of this command", "");
        else if (!read_count(arguments, optarg, counts[i].most, &values[i]))
            return false;
    }
    if (optind + 1 != argc)
        return fail(arguments, "Name one game", "");
    arguments->game = fray_catalog_find(arguments->games, fray_slice_of(argv[optind]));
    if (!arguments->game)
        return fail(arguments, "There is no such game", argv[optind]);
    arguments->ticks = (uint32_t)values[1];
    arguments->config = (struct fray_simulate_config){
        .seed = values[0],
        .bots = (uint32_t)values[2],
        .guests = values[3] == UINT64_MAX
                      ? fray_simulate_guests(arguments->game, (uint32_t)values[2])
                      : (uint32_t)values[3],
    };
    for (uint32_t i = 0; i < arguments->game->options_count && i < OPTIONS_MAX; i++)
        arguments->options[i] = arguments->game->options[i].standard;
    for (int i = 0; i < settings_count; i++) {
        if (!read_setting(arguments, settings[i]))
            return false;
    }
    return true;
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ------------------------------------------------------------------ the replay */

struct replay_file {
    struct fray_replay_writer writer;
    FILE *file;
    void *memory;
};

static void on_bytes(void *context, const void *bytes, size_t len)
{
    fwrite(bytes, 1, len, ((struct replay_file *)context)->file); /* ferror tells at the end */
}

static bool replay_begin(struct replay_file *replay, const struct arguments *arguments)
{
    const struct fray_game *game = arguments->game;
    struct fray_replay_header header = {.rules = fray_game_rules(game),
                                        .seed = arguments->config.seed,
                                        .match = {"simulation", 10}};

    replay->file = fopen(arguments->replay, "wbe");
    replay->memory = malloc(fray_replay_writer_size(game));
    if (!replay->file || !replay->memory)
        return false;
    memcpy(header.options, arguments->options, game->options_count * sizeof *header.options);
    replay->writer.sink = on_bytes;
    replay->writer.context = replay;
    fray_replay_writer_begin(&replay->writer, game, &header, replay->memory);
    return true;
}

static bool replay_end(struct replay_file *replay)
{
    free(replay->memory);
    if (!replay->file)
        return false;
    bool is_written = !ferror(replay->file);
    return !fclose(replay->file) && is_written;
}

/* ------------------------------------------------------------------ the match */

static bool run(const struct arguments *arguments, void *memory)
{
    struct replay_file replay = {0};
    struct fray_simulate_config config = arguments->config;
    struct fray_simulate simulate;
    bool is_written = true;

    config.options = arguments->options;
    if (arguments->replay) {
        is_written = replay_begin(&replay, arguments);
        config.replay = is_written ? &replay.writer : NULL;
    }
    fray_simulate_init(&simulate, arguments->game, &config, memory);
    double start = now_s();
    fray_simulate_run(&simulate, arguments->ticks);
    double seconds = now_s() - start;
    fray_simulate_end(&simulate);
    if (arguments->replay)
        is_written = replay_end(&replay) && is_written;
    if (!is_written)
        fprintf(stderr, "The replay cannot be written to %s.\n", arguments->replay);
    printf("ticks=%" PRIu32 " hash=%016" PRIx64 " ticks_per_s=%.0f\n", arguments->ticks,
           fray_simulate_hash(&simulate), arguments->ticks / (seconds > 0 ? seconds : 1e-9));
    return is_written;
}

int fray_simulate_main(const struct fray_game *const *games, int argc, char **argv)
{
    struct arguments arguments = {.games = games};

    if (!read_arguments(argc, argv, &arguments))
        return 2;
    void *memory = malloc(fray_simulate_size(arguments.game));
    bool is_done = memory && run(&arguments, memory);
    free(memory);
    return is_done ? 0 : 1;
}
