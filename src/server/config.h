/* The options a server runs with, and the table they are made from (config.def).
 *
 * Values come, the later over the earlier, from defaults, the INI file, the environment and the
 * command line (config_load.h), or one by one from an embedding program (fray_config_set). The
 * struct owns its strings; give it back with fray_config_deinit. Once the server has started it is
 * only read. No function here does I/O or keeps state. */
#ifndef FRAY_SERVER_CONFIG_H
#define FRAY_SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "fray/err.h"

/* What an operator writes, and the type of the field. */
enum fray_option_kind {
    FRAY_OPTION_INT,      /* digits */
    FRAY_OPTION_DURATION, /* milliseconds; or with unit: 500ms 25s 10m 1h */
    FRAY_OPTION_SIZE,     /* bytes; or with unit: 64K 4M 1G, powers of 1024 */
    FRAY_OPTION_BOOL,     /* true yes on 1, false no off 0 */
    FRAY_OPTION_STRING,   /* anything */
    FRAY_OPTION_PATH,     /* a file's or directory's name, relative to the working directory */
    FRAY_OPTION_LIST,     /* parted by commas, and the option may be repeated */
    FRAY_OPTION_CHOICE,   /* one word of several */
    FRAY_OPTION_SET,      /* some words of several, parted by commas */
};

struct fray_config_list {
    char **items;
    size_t count;
};

typedef uint32_t fray_config_INT;
typedef uint32_t fray_config_DURATION;
typedef size_t fray_config_SIZE;
typedef bool fray_config_BOOL;
typedef char *fray_config_STRING; /* never NULL; "" is none */
typedef char *fray_config_PATH;
typedef struct fray_config_list fray_config_LIST;
typedef uint32_t fray_config_CHOICE; /* the word's position, from 0 */
typedef uint32_t fray_config_SET;    /* bit n: the word at position n */

struct fray_config {
#define OPTION(section, kind, name, value, least, most, choices, help) fray_config_##kind name;
#include "server/config.def"
};

/* The bits of `transports`. */
enum {
    FRAY_CONFIG_POLLING = 1 << 0,
    FRAY_CONFIG_WEBSOCKET = 1 << 1,
};

/* The words of `auth`. */
enum { FRAY_CONFIG_AUTH_NONE, FRAY_CONFIG_AUTH_JWT };

/* The value of `mqtt_store` that is not memory. */
enum { FRAY_CONFIG_DISK = 1 };

/* One row of config.def. */
struct fray_option {
    const char *name;
    const char *section;
    const char *value; /* the default */
    const char *choices;
    const char *help;
    size_t offset; /* in struct fray_config */
    uint64_t least;
    uint64_t most;
    enum fray_option_kind kind;
};

enum {
#define OPTION(section, kind, name, value, least, most, choices, help) FRAY_OPTION_##name,
#include "server/config.def"
    FRAY_OPTION_COUNT
};

extern const struct fray_option fray_options[FRAY_OPTION_COUNT];

/* Both overwrite what is there. A deinitialised config must not be read. */
void fray_config_init_default(struct fray_config *config);
void fray_config_deinit(struct fray_config *config);

/* The option of that name; '-' and '_' are the same. NULL if there is none. */
const struct fray_option *fray_option_find(struct fray_slice name);
/* The option whose name is nearest to a mistyped one, NULL if none is near. */
const struct fray_option *fray_option_nearest(struct fray_slice name);

/* Sets an option from text, replacing its value. FRAY_ERR_CONFIG: appends to `error` what was given
 * and what is allowed, a sentence without its subject and full stop, and changes nothing. */
FRAY_MUST_CHECK enum fray_err fray_option_set(struct fray_config *config,
                                              const struct fray_option *option,
                                              struct fray_slice text, struct fray_buf *error);
/* The same, a LIST keeping what it has. */
FRAY_MUST_CHECK enum fray_err fray_option_add(struct fray_config *config,
                                              const struct fray_option *option,
                                              struct fray_slice text, struct fray_buf *error);
/* The same by name, for the embedding API; `error` receives the whole sentence. */
FRAY_MUST_CHECK enum fray_err fray_config_set(struct fray_config *config, struct fray_slice name,
                                              struct fray_slice text, struct fray_buf *error);

/* Looks at options together, such as tls_cert without tls_key. FRAY_ERR_CONFIG and a sentence. */
FRAY_MUST_CHECK enum fray_err fray_config_check(const struct fray_config *config,
                                                struct fray_buf *error);

/* Appends "unknown option NAME", with a suggestion if one is near and a full stop; `prefix` stands
 * before the suggested name ("--" or ""). */
void fray_config_explain_unknown(struct fray_slice name, const char *prefix,
                                 struct fray_buf *error);

/* Appends what is allowed, such as "an integer from 0 to 256". */
void fray_option_describe(const struct fray_option *option, struct fray_buf *text);
/* Appends the value in the words that set it. */
void fray_option_format(const struct fray_config *config, const struct fray_option *option,
                        struct fray_buf *text);

#endif
