/* Gathers options from the command line, the environment and an INI file, each over the next. */
#ifndef FRAY_SERVER_CONFIG_LOAD_H
#define FRAY_SERVER_CONFIG_LOAD_H

#include "server/config.h"

enum fray_config_action {
    FRAY_CONFIG_SERVE, /* go on */
    FRAY_CONFIG_PRINT, /* --help and its like: write the text to standard output and exit with 0 */
};

/* Reads into `config`, which was initialised (its values are the defaults). `environment` is a list
 * "NAME=value" that NULL ends; what is no option of fray in it is ignored (but see
 * fray_config_stray_variable). Reads the file that
 * --config or FRAY_CONFIG names, keeps nothing.
 *
 * FRAY_ERR_CONFIG: something is wrong; `text` holds one sentence that names the option, what was
 * given and what is allowed. Write it to standard error and exit with 2. */
FRAY_MUST_CHECK enum fray_err fray_config_load(struct fray_config *config, int argc,
                                               char *const argv[], char *const environment[],
                                               enum fray_config_action *action,
                                               struct fray_buf *text);

/* The name of the first variable from number *next on that begins with FRAY_ but is no option: most
 * likely misspelt. *next is where to go on. Empty: there is none. */
struct fray_slice fray_config_stray_variable(char *const environment[], size_t *next);

#endif
