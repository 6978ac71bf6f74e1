#include <inttypes.h>
#include <string.h>

#include "server/config.h"
#include "server/config_text.h"

static void append_words(const char *choices, const char *separator, uint32_t set,
                         struct fray_buf *text)
{
    bool first = true;
    for (uint32_t position = 0; *choices; position++) {
        size_t len = strcspn(choices, "|");
        if (set >> position & 1) {
            if (!first)
                fray_buf_append_slice(text, fray_slice_of(separator));
            fray_buf_append(text, choices, len);
            first = false;
        }
        choices += len + (choices[len] == '|');
    }
}

void fray_option_describe(const struct fray_option *option, struct fray_buf *text)
{
    switch (option->kind) {
    case FRAY_OPTION_INT:
        fray_buf_printf(text, "an integer from %" PRIu64 " to %" PRIu64, option->least,
                        option->most);
        return;
    case FRAY_OPTION_DURATION:
        fray_buf_printf(text,
                        "milliseconds from %" PRIu64 " to %" PRIu64
                        ", or a duration such as 500ms, 25s, 10m, 1h",
                        option->least, option->most);
        return;
    case FRAY_OPTION_SIZE:
        fray_buf_printf(text,
                        "bytes from %" PRIu64 " to %" PRIu64 ", or a size such as 64K, 4M, 1G",
                        option->least, option->most);
        return;
    case FRAY_OPTION_BOOL: FRAY_BUF_LITERAL(text, "true or false"); return;
    case FRAY_OPTION_STRING: FRAY_BUF_LITERAL(text, "a text without control characters"); return;
    case FRAY_OPTION_PATH: FRAY_BUF_LITERAL(text, "a path"); return;
    case FRAY_OPTION_LIST: FRAY_BUF_LITERAL(text, "a list with commas"); return;
    case FRAY_OPTION_CHOICE:
        FRAY_BUF_LITERAL(text, "one of ");
        append_words(option->choices, ", ", UINT32_MAX, text);
        return;
    case FRAY_OPTION_SET:
        FRAY_BUF_LITERAL(text, "a list with commas of ");
        append_words(option->choices, ", ", UINT32_MAX, text);
        return;
    }
}

static void append_list(const struct fray_config_list *list, struct fray_buf *text)
{
    for (size_t i = 0; i < list->count; i++)
        fray_buf_printf(text, "%s%s", i ? "," : "", list->items[i]);
}

void fray_option_format(const struct fray_config *config, const struct fray_option *option,
                        struct fray_buf *text)
{
    const void *field = (const char *)config + option->offset;
    switch (option->kind) {
    case FRAY_OPTION_INT:
    case FRAY_OPTION_DURATION: fray_buf_append_uint(text, *(const uint32_t *)field); return;
    case FRAY_OPTION_SIZE: fray_buf_append_uint(text, *(const size_t *)field); return;
    case FRAY_OPTION_BOOL:
        fray_buf_printf(text, "%s", *(const bool *)field ? "true" : "false");
        return;
    case FRAY_OPTION_STRING:
    case FRAY_OPTION_PATH:
        fray_buf_append_slice(text, fray_slice_of(*(char *const *)field));
        return;
    case FRAY_OPTION_LIST: append_list(field, text); return;
    case FRAY_OPTION_CHOICE:
        append_words(option->choices, "", UINT32_C(1) << *(const uint32_t *)field, text);
        return;
    case FRAY_OPTION_SET:
        append_words(option->choices, ",", *(const uint32_t *)field, text);
        return;
    }
}

void fray_config_explain_unknown(struct fray_slice name, const char *prefix, struct fray_buf *error)
{
    FRAY_BUF_LITERAL(error, "unknown option ");
    fray_buf_append_slice(error, name);
    struct fray_slice bare = name;
    while (bare.len && bare.data[0] == '-')
        bare = fray_slice_skip(bare, 1);
    const struct fray_option *nearest = fray_option_nearest(bare);
    if (nearest) {
        fray_buf_printf(error, "; did you mean %s", prefix);
        fray_option_append_name(nearest, prefix[0] ? '-' : '_', error);
        FRAY_BUF_LITERAL(error, "?");
    } else {
        FRAY_BUF_LITERAL(error, "; --help lists all.");
    }
}

void fray_option_append_name(const struct fray_option *option, char separator,
                             struct fray_buf *text)
{
    for (const char *c = option->name; *c; c++)
        fray_buf_append_byte(text, (uint8_t)(*c == '_' ? separator : *c));
}

void fray_option_append_variable(const struct fray_option *option, struct fray_buf *text)
{
    FRAY_BUF_LITERAL(text, "FRAY_");
    for (const char *c = option->name; *c; c++)
        fray_buf_append_byte(text, (uint8_t)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c));
}

static bool starts_section(size_t index)
{
    return index == 0 || strcmp(fray_options[index].section, fray_options[index - 1].section) != 0;
}

static const char *value_name(enum fray_option_kind kind)
{
    switch (kind) {
    case FRAY_OPTION_INT: return "NUMBER";
    case FRAY_OPTION_DURATION: return "MS";
    case FRAY_OPTION_SIZE: return "BYTES";
    case FRAY_OPTION_BOOL: return "";
    case FRAY_OPTION_STRING: return "TEXT";
    case FRAY_OPTION_PATH: return "PATH";
    case FRAY_OPTION_LIST: return "LIST";
    case FRAY_OPTION_CHOICE: return "WORD";
    case FRAY_OPTION_SET: return "WORDS";
    }
    return "";
}

static void help_option(const struct fray_option *option, struct fray_buf *text)
{
    FRAY_BUF_LITERAL(text, "  --");
    fray_option_append_name(option, '-', text);
    if (option->kind == FRAY_OPTION_BOOL) {
        FRAY_BUF_LITERAL(text, ", --no-");
        fray_option_append_name(option, '-', text);
    } else {
        fray_buf_printf(text, " %s", value_name(option->kind));
    }
    fray_buf_printf(text, "\n      %s", option->help);
    if (option->choices) {
        FRAY_BUF_LITERAL(text, ": ");
        append_words(option->choices, ", ", UINT32_MAX, text);
    }
    if (option->value[0])
        fray_buf_printf(text, " (%s)", option->value);
    fray_buf_append_byte(text, '\n');
}

void fray_config_help(const char *program, struct fray_buf *text)
{
    fray_buf_printf(text,
                    "Usage: %s [--OPTION VALUE | --OPTION=VALUE | --FLAG | --no-FLAG]...\n\n"
                    "An option may also be given as an environment variable (FRAY_PING_INTERVAL_MS "
                    "for\n--ping-interval-ms) or in an INI file. The command line goes over the "
                    "environment,\nthat over the file. Defaults are in parentheses.\n\n"
                    "  --config FILE\n      read options from an INI file\n"
                    "  --print-config\n      print all options as an INI file and exit\n"
                    "  --help\n      print this and exit\n"
                    "  --version\n      print the version and exit\n",
                    program);
    for (size_t i = 0; i < FRAY_OPTION_COUNT; i++) {
        if (starts_section(i))
            fray_buf_printf(text, "\n[%s]\n", fray_options[i].section);
        help_option(&fray_options[i], text);
    }
}

void fray_config_help_markdown(struct fray_buf *text)
{
    FRAY_BUF_LITERAL(
        text,
        "# Options\n\n"
        "<!-- Made from src/server/config.def by `fray --help-markdown`; do not edit. -->\n\n"
        "Each option can be given on the command line (`--ping-interval-ms 25000` or\n"
        "`--ping-interval-ms=25s`), as an environment variable (`FRAY_PING_INTERVAL_MS=25000`) or "
        "in an INI\nfile (`--config FILE`, or `FRAY_CONFIG=FILE`; `ping_interval_ms = 25000` in "
        "section\n`[engineio]`). The command line goes over the environment, the environment over "
        "the file, the file\nover the default. `--flag` alone and `--no-flag` set a true-or-false "
        "option, as `--flag true` and\n`--flag=false` do. `--print-config` prints what is in "
        "force, "
        "as an INI file.\n");
    for (size_t i = 0; i < FRAY_OPTION_COUNT; i++) {
        const struct fray_option *option = &fray_options[i];
        if (starts_section(i))
            fray_buf_printf(text,
                            "\n## [%s]\n\n| option | default | allowed | meaning |\n"
                            "|---|---|---|---|\n",
                            option->section);
        fray_buf_printf(text, "| `%s` | %s%s%s | ", option->name, option->value[0] ? "`" : "",
                        option->value, option->value[0] ? "`" : "");
        fray_option_describe(option, text);
        fray_buf_printf(text, " | %s |\n", option->help);
    }
}

void fray_config_print(const struct fray_config *config, struct fray_buf *text)
{
    for (size_t i = 0; i < FRAY_OPTION_COUNT; i++) {
        if (starts_section(i))
            fray_buf_printf(text, "%s[%s]\n", i ? "\n" : "", fray_options[i].section);
        bool is_secret = i == FRAY_OPTION_jwt_secret && *config->jwt_secret;
        fray_buf_printf(text, "%s = ", fray_options[i].name);
        if (is_secret)
            FRAY_BUF_LITERAL(text, "(set, not shown)");
        else
            fray_option_format(config, &fray_options[i], text);
        fray_buf_append_byte(text, '\n');
    }
}
