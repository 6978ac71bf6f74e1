#include "server/replay_command.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "server/replay_index.h"
#include "server/replay_read.h"

enum { LISTED = 50 };

static void usage(FILE *out)
{
    fprintf(out, "Usage: fray replay list [--game GAME] [--player NAME] [--limit N] [--json]\n"
                 "       fray replay verify [--json] FILE|ID...\n"
                 "       fray replay play [--from TICK] [--to TICK] [--speed X] [--json] FILE|ID\n"
                 "       Each takes --data DIR, where the server keeps its data (\"data\").\n");
}

static int fail(const char *reason, const char *what)
{
    fprintf(stderr, "%s%s%s%s\n", reason, *what ? ": \"" : "", what, *what ? "\"." : ".");
    usage(stderr);
    return FRAY_REPLAY_EXIT_OTHER;
}

/* ------------------------------------------------------------------ options */

static bool read_count(const char *option, const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && !errno)
        return true;
    fprintf(stderr, "--%s is an integer from 0 to %" PRIu64 ", not \"%s\".\n", option, UINT64_MAX,
            text);
    return false;
}

/* 0.25, 1, 8: in thousandths. */
static bool read_speed(const char *text, uint64_t *speed)
{
    char *end;
    double value = strtod(text, &end);
    *speed = end > text && !*end && value > 0 && value <= 1000 ? (uint64_t)(value * 1000) : 0;
    if (!*speed)
        fprintf(stderr, "--speed is a number from 0.001 to 1000, not \"%s\".\n", text);
    return *speed > 0;
}

static bool read_options(int argc, char **argv, struct fray_replay_options *options)
{
    static const struct option names[] = {
        {"data", required_argument, NULL, 'd'},   {"game", required_argument, NULL, 'g'},
        {"player", required_argument, NULL, 'p'}, {"limit", required_argument, NULL, 'l'},
        {"from", required_argument, NULL, 'f'},   {"to", required_argument, NULL, 't'},
        {"speed", required_argument, NULL, 's'},  {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {0},
    };
    int letter;
    bool is_good = true;

    opterr = 0; /* it is said in our words */
    optind = 0; /* anew: a program may come here more than once */
    while (is_good && (letter = getopt_long(argc, argv, ":", names, NULL)) != -1) {
        switch (letter) {
        case 'd': options->data = optarg; break;
        case 'g': options->game = optarg; break;
        case 'p': options->player = optarg; break;
        case 'l': is_good = read_count("limit", optarg, &options->limit); break;
        case 'f': is_good = read_count("from", optarg, &options->from); break;
        case 't': is_good = read_count("to", optarg, &options->to); break;
        case 's': is_good = read_speed(optarg, &options->speed); break;
        case 'j': options->is_json = true; break;
        case 'h': options->is_help = true; break;
        case ':': return !fail("There is no value for the option", argv[optind - 1]);
        default: return !fail("This command has no option", argv[optind - 1]);
        }
    }
    return is_good;
}

/* ------------------------------------------------------------------ the index */

static bool index_open(const struct fray_replay_options *options, struct fray_replay_index *index)
{
    struct fray_buf path = {0}, error = {0};
    struct stat stat_of_dir;

    fray_buf_printf(&path, "%s/replays", options->data);
    fray_buf_append_byte(&path, '\0');
    bool is_open = !stat(path.data, &stat_of_dir) && S_ISDIR(stat_of_dir.st_mode);
    if (!is_open)
        fprintf(stderr, "There are no replays in %s: name the server's directory with --data.\n",
                options->data);
    else if (fray_replay_index_open(index, path.data, true, &error)) {
        fprintf(stderr, "%.*s\n", (int)error.len, error.data);
        fray_replay_index_close(index);
        is_open = false;
    }
    fray_buf_deinit(&path);
    fray_buf_deinit(&error);
    return is_open;
}

static DIR *files_open(const struct fray_replay_options *options)
{
    struct fray_buf path = {0};
    fray_buf_printf(&path, "%s/replays", options->data);
    fray_buf_append_byte(&path, '\0');
    DIR *dir = opendir(path.data);
    fray_buf_deinit(&path);
    return dir;
}

/* A file by its name, or a replay by its id, which is in the file's name: no index is needed.
 * False: told. */
static bool find(const struct fray_replay_options *options, const char *asked,
                 struct fray_buf *path)
{
    if (strchr(asked, '/') || access(asked, F_OK) == 0) {
        fray_buf_append(path, asked, strlen(asked) + 1);
        return true;
    }
    DIR *dir = files_open(options);
    const struct dirent *file;
    while (dir && (file = readdir(dir)) && !path->len) {
        if (fray_slice_equal(fray_replay_file_id(file->d_name), fray_slice_of(asked)))
            fray_buf_printf(path, "%s/replays/%s", options->data, file->d_name);
    }
    if (dir)
        closedir(dir);
    bool is_found = path->len > 0;
    if (!is_found)
        fprintf(stderr, "%s: neither a file nor a replay in %s.\n", asked, options->data);
    fray_buf_append_byte(path, '\0');
    return is_found;
}

/* What is being written, and what another server or a lost index left. */
static void tell_unlisted(const struct fray_replay_options *options,
                          const struct fray_replay_index *index)
{
    DIR *dir = files_open(options);
    const struct dirent *file;
    size_t count = 0;
    while (dir && (file = readdir(dir))) {
        struct fray_slice id = fray_replay_file_id(file->d_name);
        count += id.len && !fray_replay_index_find(index, id);
    }
    if (dir)
        closedir(dir);
    if (count)
        fprintf(
            stderr,
            "%zu more in %s/replays are not listed: they are being written, or the server takes "
            "them in when it starts.\n",
            count, options->data);
}

/* Control characters of a file are not for a terminal. */
/* At least `width` bytes. What a file says must not command the terminal: neither C0 nor C1 (which
 * is 0xC2 and one more byte in UTF-8). */
static void print_text(const char *text, int width)
{
    for (; text && *text; text++, width--) {
        bool is_c1 = (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] < 0xA0;
        putchar((unsigned char)*text < ' ' || *text == 0x7F || is_c1 ? '?' : *text);
        text += is_c1 && text[1];
    }
    printf("%*s", width > 0 ? width : 0, "");
}

static void print_member(const json_t *entry, const char *name, int width)
{
    print_text(json_string_value(json_object_get(entry, name)), width);
}

static void print_players(const json_t *players)
{
    const json_t *player;
    size_t i;
    json_array_foreach(players, i, player)
    {
        printf("%s", i ? ", " : "");
        print_member(player, "name", 0);
        printf(" (");
        print_member(player, "outcome", 0);
        printf("%s", json_object_get(player, "out") ? ", " : "");
        print_member(player, "out", 0);
        printf(")");
    }
    printf("\n");
}

static void print_line(const json_t *entry)
{
    time_t started_s = (time_t)(json_integer_value(json_object_get(entry, "started_ms")) / 1000);
    struct tm utc;
    char stamp[32];

    gmtime_r(&started_s, &utc);
    strftime(stamp, sizeof stamp, "%F %T", &utc);
    print_member(entry, "id", 13);
    printf("  %s  ", stamp);
    print_member(entry, "game", 10);
    printf(" %9lld %9lld  %-5s  ", json_integer_value(json_object_get(entry, "ticks")),
           json_integer_value(json_object_get(entry, "bytes")),
           json_is_true(json_object_get(entry, "complete")) ? "whole" : "cut");
    print_players(json_object_get(entry, "players"));
}

static int list(const struct fray_replay_options *options)
{
    struct fray_replay_index index;
    struct fray_buf text = {0};
    const struct fray_replay_filter filter = {
        .game = options->game, .player = options->player, .limit = (size_t)options->limit};
    if (!index_open(options, &index))
        return FRAY_REPLAY_EXIT_BAD;
    fray_replay_index_list(&index, &filter, &text);
    if (options->is_json) {
        printf("%.*s\n", (int)text.len, text.data);
    } else {
        json_t *entries = json_loadb(text.data, text.len, 0, NULL), *entry;
        size_t i;
        printf("%-13s  %-19s  %-10s %9s %9s  %-5s  %s\n", "ID", "START (UTC)", "GAME", "TICKS",
               "BYTES", "STATE", "PLAYERS");
        json_array_foreach(entries, i, entry) print_line(entry);
        json_decref(entries);
    }
    fflush(stdout);
    tell_unlisted(options, &index);
    fray_replay_index_close(&index);
    fray_buf_deinit(&text);
    return FRAY_REPLAY_EXIT_GOOD;
}

/* ------------------------------------------------------------------ verify */

static int exit_of(enum fray_replay_fault fault)
{
    switch (fault) {
    case FRAY_REPLAY_GOOD: return FRAY_REPLAY_EXIT_GOOD;
    case FRAY_REPLAY_TRUNCATED: return FRAY_REPLAY_EXIT_CUT;
    case FRAY_REPLAY_OTHER_GAME:
    case FRAY_REPLAY_OTHER_RULES: return FRAY_REPLAY_EXIT_OTHER;
    default: return FRAY_REPLAY_EXIT_BAD;
    }
}

static void print_verdict(const char *asked, const struct fray_replay *replay)
{
    const char *text = fray_replay_fault_text(replay->fault);
    switch (replay->fault) {
    case FRAY_REPLAY_GOOD:
        printf("%s: verified, %u ticks, %u hashes agree\n", asked, replay->ticks_max,
               replay->hashes);
        break;
    case FRAY_REPLAY_TRUNCATED:
        printf("%s: truncated, %u ticks, %u hashes up to tick %u agree\n", asked, replay->ticks_max,
               replay->hashes, replay->hashed_tick);
        break;
    case FRAY_REPLAY_DIFFERS:
        printf("%s: differs at tick %u, after tick %u agreed\n", asked, replay->fault_tick,
               replay->hashed_tick);
        break;
    case FRAY_REPLAY_DAMAGED:
    case FRAY_REPLAY_MALFORMED:
        printf("%s: %s at tick %u\n", asked, text, replay->fault_tick);
        break;
    default: printf("%s: %s\n", asked, text);
    }
}

static void print_verdict_json(const char *asked, const struct fray_replay *replay)
{
    json_t *verdict = json_pack("{s:s, s:s, s:b, s:I, s:I, s:I}", "replay", asked, "verdict",
                                replay->fault ? fray_replay_fault_text(replay->fault) : "verified",
                                "verified", replay->fault == FRAY_REPLAY_GOOD, "ticks",
                                (json_int_t)replay->ticks_max, "hashes", (json_int_t)replay->hashes,
                                "agreed_tick", (json_int_t)replay->hashed_tick);
    if (replay->fault)
        json_object_set_new(verdict, "tick", json_integer(replay->fault_tick));
    json_dumpf(verdict, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(verdict);
}

static int verify(const struct fray_replay_options *options, const char *asked)
{
    struct fray_replay_reading reading;
    struct fray_buf path = {0};
    int code = FRAY_REPLAY_EXIT_BAD;

    if (find(options, asked, &path)) {
        if (fray_replay_reading_open(&reading, options->games, path.data)) {
            fprintf(stderr, "%s cannot be read: %s.\n", path.data, strerror(errno));
        } else {
            if (reading.replay.frame)
                (void)fray_replay_verify(&reading.replay);
            if (options->is_json)
                print_verdict_json(asked, &reading.replay);
            else
                print_verdict(asked, &reading.replay);
            code = exit_of(reading.replay.fault);
        }
        fray_replay_reading_close(&reading);
    }
    fray_buf_deinit(&path);
    return code;
}

/* Of several files the worst. */
static int worse(int a, int b)
{
    if (!a || !b)
        return a ? a : b;
    return a < b ? a : b;
}

/* ------------------------------------------------------------------ all */

int fray_replay_main(const struct fray_game *const *games, int argc, char **argv)
{
    const char *data = getenv("FRAY_DATA");
    struct fray_replay_options options = {
        .games = games, .data = data ? data : "data", .limit = LISTED, .to = UINT32_MAX};
    int code = FRAY_REPLAY_EXIT_GOOD;

    if (!read_options(argc, argv, &options))
        return FRAY_REPLAY_EXIT_OTHER;
    if (options.is_help) {
        usage(stdout);
        return FRAY_REPLAY_EXIT_GOOD;
    }
    if (optind == argc)
        return fail("Say what to do", "");
    const char *command = argv[optind];
    char **files = argv + optind + 1;
    int files_count = argc - optind - 1;
    if (strcmp(command, "list") == 0 && !files_count)
        return list(&options);
    if (strcmp(command, "verify") == 0 && files_count) {
        for (int i = 0; i < files_count; i++)
            code = worse(code, verify(&options, files[i]));
        return code;
    }
    if (strcmp(command, "play") == 0 && files_count == 1) {
        struct fray_buf path = {0};
        code = find(&options, files[0], &path) ? fray_replay_play(path.data, &options)
                                               : FRAY_REPLAY_EXIT_BAD;
        fray_buf_deinit(&path);
        return code;
    }
    return fail("Not a command, or not its arguments", command);
}
