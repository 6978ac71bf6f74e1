#include "server/config_load.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "server/config_text.h"

/* Options set by one source: its first value of a LIST replaces what lower sources gave. */
struct source {
    struct fray_config *config;
    struct fray_buf *error;
    bool seen[FRAY_OPTION_COUNT];
};

static enum fray_err source_set(struct source *source, const struct fray_option *option,
                                struct fray_slice value)
{
    bool *seen = &source->seen[option - fray_options];
    bool again = *seen;
    *seen = true;
    return again ? fray_option_add(source->config, option, value, source->error)
                 : fray_option_set(source->config, option, value, source->error);
}

/* ---- command line */

struct flag {
    const struct fray_option *option; /* NULL: one of the words that are no option, in `name` */
    struct fray_slice name;           /* without dashes */
    struct fray_slice value;
    bool negated; /* --no-NAME */
};

struct command_line {
    int argc;
    char *const *argv;
    int at;
};

static bool is_bare_word(struct fray_slice name)
{
    static const char *const words[] = {"help", "version", "print-config", "help-markdown"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (fray_slice_equal(name, fray_slice_of(words[i])))
            return true;
    }
    return false;
}

/* Finds which option `argument` ("--name", "--name=value", "--no-name") means. */
static enum fray_err flag_find(struct fray_slice argument, struct flag *flag, bool *needs_value,
                               struct fray_buf *error)
{
    if (!fray_slice_starts(argument, FRAY_SLICE("--")) || argument.len == 2) {
        FRAY_BUF_LITERAL(error, "unexpected argument \"");
        fray_buf_append_slice(error, argument);
        FRAY_BUF_LITERAL(error, "\": options are written --name value; --help lists all.");
        return FRAY_ERR_CONFIG;
    }
    const char *equals = memchr(argument.data, '=', argument.len);
    size_t name_end = equals ? (size_t)(equals - argument.data) : argument.len;
    *flag = (struct flag){.name = fray_slice(argument.data + 2, name_end - 2)};
    if (equals)
        flag->value = fray_slice_skip(argument, name_end + 1);
    *needs_value = !equals;
    if (fray_slice_equal(flag->name, FRAY_SLICE("config")))
        return FRAY_OK;

    flag->option = fray_option_find(flag->name);
    if (!flag->option && !equals && fray_slice_starts(flag->name, FRAY_SLICE("no-"))) {
        flag->option = fray_option_find(fray_slice_skip(flag->name, 3));
        flag->negated = true;
    }
    bool is_bool = flag->option && flag->option->kind == FRAY_OPTION_BOOL;
    bool is_known = flag->option ? is_bool || !flag->negated : !equals && is_bare_word(flag->name);
    if (!is_known) {
        fray_config_explain_unknown(fray_slice(argument.data, name_end), "--", error);
        return FRAY_ERR_CONFIG;
    }
    if (is_bool && !equals)
        flag->value = flag->negated ? FRAY_SLICE("false") : FRAY_SLICE("true");
    if (is_bool || !flag->option)
        *needs_value = false;
    return FRAY_OK;
}

/* `--flag` alone says true; but whoever writes `--flag false` means it: no argument stands for
 * itself, so a word behind it is its value. */
static void take_word(struct command_line *line, struct flag *flag, struct fray_slice argument)
{
    bool may_have = flag->option && flag->option->kind == FRAY_OPTION_BOOL && !flag->negated &&
                    !memchr(argument.data, '=', argument.len);
    if (may_have && line->at < line->argc && line->argv[line->at][0] != '-')
        flag->value = fray_slice_of(line->argv[line->at++]);
}

/* FRAY_ERR_NOT_FOUND after the last one. */
static enum fray_err command_line_next(struct command_line *line, struct flag *flag,
                                       struct fray_buf *error)
{
    if (line->at >= line->argc)
        return FRAY_ERR_NOT_FOUND;
    struct fray_slice argument = fray_slice_of(line->argv[line->at++]);
    if (fray_slice_equal(argument, FRAY_SLICE("-h")))
        argument = FRAY_SLICE("--help");
    bool needs_value = false;
    enum fray_err err = flag_find(argument, flag, &needs_value, error);
    if (!err)
        take_word(line, flag, argument);
    if (err || !needs_value)
        return err;
    if (line->at >= line->argc) {
        fray_buf_append_slice(error, argument);
        FRAY_BUF_LITERAL(error, " was given no value, allowed is ");
        if (flag->option)
            fray_option_describe(flag->option, error);
        else
            FRAY_BUF_LITERAL(error, "the name of an INI file");
        FRAY_BUF_LITERAL(error, ".");
        return FRAY_ERR_CONFIG;
    }
    flag->value = fray_slice_of(line->argv[line->at++]);
    return FRAY_OK;
}

/* What the command line says besides options. */
struct command {
    const char *file;
    bool help;
    bool version;
    bool help_markdown;
    bool print_config;
};

static void command_note(struct command *command, const struct flag *flag)
{
    if (fray_slice_equal(flag->name, FRAY_SLICE("config")))
        command->file = flag->value.data; /* the end of an argument, so terminated */
    else if (fray_slice_equal(flag->name, FRAY_SLICE("help")))
        command->help = true;
    else if (fray_slice_equal(flag->name, FRAY_SLICE("version")))
        command->version = true;
    else if (fray_slice_equal(flag->name, FRAY_SLICE("help-markdown")))
        command->help_markdown = true;
    else
        command->print_config = true;
}

static enum fray_err command_read(struct command *command, int argc, char *const argv[],
                                  struct fray_buf *error)
{
    struct command_line line = {argc, argv, 1};
    struct flag flag;
    enum fray_err err;
    while (!(err = command_line_next(&line, &flag, error))) {
        if (!flag.option)
            command_note(command, &flag);
    }
    return err == FRAY_ERR_NOT_FOUND ? FRAY_OK : err;
}

static enum fray_err load_command_line(struct fray_config *config, int argc, char *const argv[],
                                       struct fray_buf *error)
{
    struct source source = {.config = config, .error = error};
    struct command_line line = {argc, argv, 1};
    struct flag flag;
    enum fray_err err;
    while (!(err = command_line_next(&line, &flag, error))) {
        if (!flag.option)
            continue;
        size_t before = error->len;
        FRAY_BUF_LITERAL(error, "--");
        fray_option_append_name(flag.option, '-', error);
        FRAY_BUF_LITERAL(error, " ");
        err = source_set(&source, flag.option, flag.value);
        if (err) {
            FRAY_BUF_LITERAL(error, ".");
            return err;
        }
        error->len = before;
    }
    return err == FRAY_ERR_NOT_FOUND ? FRAY_OK : err;
}

/* ---- environment */

static const char *environment_find(char *const environment[], struct fray_slice name)
{
    for (; *environment; environment++) {
        struct fray_slice entry = fray_slice_of(*environment);
        if (fray_slice_starts(entry, name) && entry.data[name.len] == '=')
            return entry.data + name.len + 1;
    }
    return NULL;
}

static enum fray_err load_environment(struct fray_config *config, char *const environment[],
                                      struct fray_buf *error)
{
    struct source source = {.config = config, .error = error};
    for (size_t i = 0; i < FRAY_OPTION_COUNT; i++) {
        size_t before = error->len;
        fray_option_append_variable(&fray_options[i], error);
        struct fray_slice name = fray_slice_skip(fray_buf_slice(error), before);
        const char *value = environment_find(environment, name);
        FRAY_BUF_LITERAL(error, " ");
        if (value && source_set(&source, &fray_options[i], fray_slice_of(value))) {
            FRAY_BUF_LITERAL(error, ".");
            return FRAY_ERR_CONFIG;
        }
        error->len = before;
    }
    return FRAY_OK;
}

static bool is_known(struct fray_slice variable)
{
    struct fray_buf name = {0};
    bool found = fray_slice_equal(variable, FRAY_SLICE("FRAY_CONFIG"));
    for (size_t i = 0; i < FRAY_OPTION_COUNT && !found; i++) {
        name.len = 0;
        fray_option_append_variable(&fray_options[i], &name);
        found = fray_slice_equal(variable, fray_buf_slice(&name));
    }
    fray_buf_deinit(&name);
    return found;
}

struct fray_slice fray_config_stray_variable(char *const environment[], size_t *next)
{
    while (environment[*next]) {
        struct fray_slice entry = fray_slice_of(environment[(*next)++]);
        const char *equals = memchr(entry.data, '=', entry.len);
        struct fray_slice name = fray_slice(entry.data, equals ? (size_t)(equals - entry.data) : 0);
        if (fray_slice_starts(name, FRAY_SLICE("FRAY_")) && !is_known(name))
            return name;
    }
    return (struct fray_slice){0};
}

/* ---- INI file */

struct file_reader {
    struct source source;
    const char *name;
    FILE *stream;
    unsigned line;
    bool failed; /* and explained */
};

/* inih would take what exceeds its buffer for a line of its own. */
static char *read_line(char *line, int size, void *context)
{
    struct file_reader *reader = context;
    if (reader->failed || !fgets(line, size, reader->stream))
        return NULL;
    reader->line++;
    if (strlen(line) == (size_t)size - 1 && line[size - 2] != '\n') {
        fray_buf_printf(reader->source.error,
                        "%s line %u is longer than %d characters: give a list in several lines.",
                        reader->name, reader->line, size - 2);
        reader->failed = true;
        return NULL;
    }
    return line;
}

static int read_pair(void *context, const char *section, const char *name, const char *value)
{
    struct file_reader *reader = context;
    struct fray_buf *error = reader->source.error;
    if (reader->failed)
        return 0;
    size_t before = error->len;
    fray_buf_printf(error, "%s line %u: ", reader->name, reader->line);
    const struct fray_option *option = fray_option_find(fray_slice_of(name));
    reader->failed = true;
    if (!option) {
        fray_config_explain_unknown(fray_slice_of(name), "", error);
    } else if (strcmp(option->section, section) != 0) {
        fray_buf_printf(error, "%s was given in section [%s], allowed is [%s].", option->name,
                        section, option->section);
    } else {
        fray_buf_printf(error, "%s ", option->name);
        if (source_set(&reader->source, option, fray_slice_of(value))) {
            FRAY_BUF_LITERAL(error, ".");
        } else {
            error->len = before;
            reader->failed = false;
        }
    }
    return !reader->failed;
}

static enum fray_err load_file(struct fray_config *config, const char *name, struct fray_buf *error)
{
    struct file_reader reader = {.source = {.config = config, .error = error}, .name = name};
    reader.stream = fopen(name, "re");
    if (!reader.stream) {
        fray_buf_printf(error, "--config was given \"%s\", which cannot be read: %s.", name,
                        strerror(errno));
        return FRAY_ERR_CONFIG;
    }
    int wrong_line = ini_parse_stream(read_line, &reader, read_pair, &reader);
    if (!reader.failed && ferror(reader.stream)) {
        fray_buf_printf(error, "--config was given \"%s\", which cannot be read: %s.", name,
                        strerror(errno));
        reader.failed = true;
    }
    if (!reader.failed && wrong_line) {
        fray_buf_printf(error, "%s line %d is neither [section] nor name = value.", name,
                        wrong_line);
        reader.failed = true;
    }
    fclose(reader.stream);
    return reader.failed ? FRAY_ERR_CONFIG : FRAY_OK;
}

enum fray_err fray_config_load(struct fray_config *config, int argc, char *const argv[],
                               char *const environment[], enum fray_config_action *action,
                               struct fray_buf *text)
{
    struct command command = {.file = environment_find(environment, FRAY_SLICE("FRAY_CONFIG"))};
    enum fray_err err = command_read(&command, argc, argv, text);
    if (err)
        return err;
    *action = FRAY_CONFIG_PRINT;
    if (command.help) {
        fray_config_help(argc > 0 ? argv[0] : "fray", text);
        return FRAY_OK;
    }
    if (command.version) {
        FRAY_BUF_LITERAL(text, "fray " FRAY_VERSION "\n");
        return FRAY_OK;
    }
    if (command.help_markdown) {
        fray_config_help_markdown(text);
        return FRAY_OK;
    }
    if (command.file)
        err = load_file(config, command.file, text);
    if (!err)
        err = load_environment(config, environment, text);
    if (!err)
        err = load_command_line(config, argc, argv, text);
    if (!err)
        err = fray_config_check(config, text);
    if (err)
        return err;
    if (command.print_config)
        fray_config_print(config, text);
    else
        *action = FRAY_CONFIG_SERVE;
    return FRAY_OK;
}
