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

enum { OPTIONS_MAX = 64, SETTINGS_MAX = 64, SEATS_MAX = 255 };

struct arguments {
    const struct fray_game *const *games;
    const struct fray_game *game;
    struct fray_simulate_config config;
    uint32_t ticks;
    int32_t options[OPTIONS_MAX];
    const char *replay; /* where it is written to; NULL: nowhere */
    bool is_help;
};

static void usage(FILE *out, const struct arguments *arguments)
{
    fprintf(out,
            "Usage: %s simulate GAME [--seed S] [--ticks N] [--bots K] [--guests G]"
            " [--option NAME=VALUE]... [--replay FILE]\n       GAME:",
            program_invocation_short_name);
    for (const struct fray_game *const *game = arguments->games; *game; game++)
        fprintf(out, " %s", (*game)->name);
    fprintf(out, "\n");
}

static bool fail(const struct arguments *arguments, const char *reason, const char *what)
{
    fprintf(stderr, "%s%s%s%s\n", reason, *what ? ": \"" : "", what, *what ? "\"." : ".");
    usage(stderr, arguments);
    return false;
}

/* Digits alone: strtoull would take signs and spaces. */
static bool read_count(const char *option, const char *text, uint64_t most, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && !errno && *value <= most)
        return true;
    fprintf(stderr, "--%s is an integer from 0 to %" PRIu64 ", not \"%s\".\n", option, most, text);
    return false;
}

/* As the host would not say: out of its range a value is brought into it (fray_game_init). */
static bool read_value(const struct fray_game_option *option, const char *text, int32_t *value)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    *value = (int32_t)number;
    if (end != text && !*end && !errno && number >= option->min && number <= option->max &&
        (number - option->min) % option->step == 0)
        return true;
    fprintf(stderr, "%s is an integer from %d to %d", option->name, option->min, option->max);
    if (option->step > 1)
        fprintf(stderr, ", in steps of %d", option->step);
    fprintf(stderr, ", not \"%s\".\n", text);
    return false;
}

static bool read_setting(struct arguments *arguments, const char *setting)
{
    const struct fray_game *game = arguments->game;
    const char *equals = strchr(setting, '=');

    if (!equals)
        return fail(arguments, "An option is NAME=VALUE, not", setting);
    for (uint32_t i = 0; i < game->options_count; i++) {
        size_t len = strlen(game->options[i].name);
        if (len == (size_t)(equals - setting) && memcmp(setting, game->options[i].name, len) == 0)
            return read_value(&game->options[i], equals + 1, &arguments->options[i]);
    }
    fprintf(stderr, "The game %s has no option \"%.*s\". It has:", game->name,
            (int)(equals - setting), setting);
    for (uint32_t i = 0; i < game->options_count; i++)
        fprintf(stderr, " %s", game->options[i].name);
    fprintf(stderr, "\n");
    return false;
}

/* What the command line says before the game is known. */
struct words {
    uint64_t seed, ticks, bots, guests; /* guests UINT64_MAX: as many as the game wants */
    const char *settings[SETTINGS_MAX];
    int settings_count;
};

static bool read_options(int argc, char **argv, struct arguments *arguments, struct words *words)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},   {"ticks", required_argument, NULL, 't'},
        {"bots", required_argument, NULL, 'b'},   {"guests", required_argument, NULL, 'g'},
        {"option", required_argument, NULL, 'o'}, {"replay", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},         {0},
    };
    bool is_good = true;
    int letter;

    opterr = 0; /* it is said in our words */
    optind = 0; /* anew: a program may come here more than once */
    while (is_good && (letter = getopt_long(argc, argv, ":", names, NULL)) != -1) {
        switch (letter) {
        case 's': is_good = read_count("seed", optarg, UINT64_MAX, &words->seed); break;
        case 't': is_good = read_count("ticks", optarg, UINT32_MAX, &words->ticks); break;
        case 'b': is_good = read_count("bots", optarg, SEATS_MAX, &words->bots); break;
        case 'g': is_good = read_count("guests", optarg, SEATS_MAX, &words->guests); break;
        case 'r': arguments->replay = optarg; break;
        case 'h': arguments->is_help = true; break;
        case 'o':
            if (words->settings_count == SETTINGS_MAX)
                return fail(arguments, "That is one too many", optarg);
            words->settings[words->settings_count++] = optarg;
            break;
        case ':': return fail(arguments, "There is no value for the option", argv[optind - 1]);
        default: return fail(arguments, "This command has no option", argv[optind - 1]);
        }
    }
    return is_good;
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    struct words words = {.seed = 1, .ticks = 10000, .bots = 2, .guests = UINT64_MAX};

    if (!read_options(argc, argv, arguments, &words))
        return false;
    if (arguments->is_help)
        return true;
    if (optind + 1 != argc)
        return fail(arguments, "Name one game", "");
    arguments->game = fray_catalog_find(arguments->games, fray_slice_of(argv[optind]));
    if (!arguments->game)
        return fail(arguments, "There is no such game", argv[optind]);
    if (words.guests == UINT64_MAX)
        words.guests = fray_simulate_guests(arguments->game, (uint32_t)words.bots);
    if (words.bots + words.guests > arguments->game->seats_max)
        fprintf(stderr, "The game %s has %u seats: no more play.\n", arguments->game->name,
                arguments->game->seats_max);
    arguments->ticks = (uint32_t)words.ticks;
    arguments->config = (struct fray_simulate_config){
        .seed = words.seed,
        .bots = (uint32_t)words.bots,
        .guests = (uint32_t)words.guests,
    };
    for (uint32_t i = 0; i < arguments->game->options_count && i < OPTIONS_MAX; i++)
        arguments->options[i] = arguments->game->options[i].standard;
    for (int i = 0; i < words.settings_count; i++) {
        if (!read_setting(arguments, words.settings[i]))
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
    if (!replay->file)
        return false;
    replay->memory = malloc(fray_replay_writer_size(game));
    if (!replay->memory) {
        fclose(replay->file);
        return false;
    }
    memcpy(header.options, arguments->options, game->options_count * sizeof *header.options);
    replay->writer.sink = on_bytes;
    replay->writer.context = replay;
    fray_replay_writer_begin(&replay->writer, game, &header, replay->memory);
    return true;
}

static bool replay_end(struct replay_file *replay)
{
    free(replay->memory);
    bool is_good = !fflush(replay->file) && !ferror(replay->file);
    return !fclose(replay->file) && is_good;
}

/* ------------------------------------------------------------------ the match */

static bool is_written(const struct arguments *arguments, bool is_good)
{
    if (!is_good)
        fprintf(stderr, "The replay cannot be written to %s: %s.\n", arguments->replay,
                strerror(errno));
    return is_good;
}

static bool values_fit(const struct fray_simulate *simulate)
{
    const struct fray_game_misfit *misfit = &simulate->misfit;

    if (!simulate->misfit_tick)
        return true;
    fprintf(stderr,
            "At tick %" PRIu32 " %s.%s of row %" PRIu32 " is %" PRId64
            ", which its %u bits cannot hold: clients would be sent another number.\n",
            simulate->misfit_tick, misfit->table->name, misfit->field->name, misfit->row,
            misfit->value, misfit->field->bits);
    return false;
}

/* Such an input is refused, and the bot stands still. */
static bool bots_fit(const struct fray_simulate *simulate)
{
    const struct fray_game_misfit *misfit = &simulate->bot_misfit;

    if (!simulate->bot_misfit_tick)
        return true;
    fprintf(stderr,
            "%s: bot %" PRIu32 " gave %s %" PRId64 ", which is not %" PRId32 " to %" PRId32
            " (tick %" PRIu32 ").\n",
            simulate->game->name, simulate->bot_misfit_seat + 1, misfit->field->name, misfit->value,
            misfit->field->min, misfit->field->max, simulate->bot_misfit_tick);
    return false;
}

static bool run(const struct arguments *arguments, void *memory)
{
    struct replay_file replay = {0};
    struct fray_simulate_config config = arguments->config;
    struct fray_simulate simulate;

    config.options = arguments->options;
    if (arguments->replay) {
        if (!is_written(arguments, replay_begin(&replay, arguments)))
            return false;
        config.replay = &replay.writer;
    }
    fray_simulate_init(&simulate, arguments->game, &config, memory);
    double start = now_s();
    fray_simulate_run(&simulate, arguments->ticks);
    double seconds = now_s() - start;
    fray_simulate_end(&simulate);
    printf("ticks=%" PRIu32 " hash=%016" PRIx64 " ticks_per_s=%.0f\n", arguments->ticks,
           fray_simulate_hash(&simulate), arguments->ticks / (seconds > 0 ? seconds : 1e-9));
    bool is_good = !arguments->replay || is_written(arguments, replay_end(&replay));
    is_good = values_fit(&simulate) && is_good;
    return bots_fit(&simulate) && is_good;
}

int fray_simulate_main(const struct fray_game *const *games, int argc, char **argv)
{
    struct arguments arguments = {.games = games};

    if (!read_arguments(argc, argv, &arguments))
        return 2;
    if (arguments.is_help) {
        usage(stdout, &arguments);
        return 0;
    }
    void *memory = malloc(fray_simulate_size(arguments.game));
    bool is_done = memory && run(&arguments, memory);
    free(memory);
    return is_done ? 0 : 1;
}
