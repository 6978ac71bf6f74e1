/* Options as text for people: --help, --print-config and docs/config.md. Appends to `text`; pure.
 */
#ifndef FRAY_SERVER_CONFIG_TEXT_H
#define FRAY_SERVER_CONFIG_TEXT_H

#include "server/config.h"

void fray_config_help(const char *program, struct fray_buf *text);
void fray_config_help_markdown(struct fray_buf *text); /* docs/config.md, byte for byte */
/* An INI file that sets what is in force. */
void fray_config_print(const struct fray_config *config, struct fray_buf *text);

/* ping_interval_ms, or with '-' as separator ping-interval-ms. */
void fray_option_append_name(const struct fray_option *option, char separator,
                             struct fray_buf *text);
/* FRAY_PING_INTERVAL_MS. */
void fray_option_append_variable(const struct fray_option *option, struct fray_buf *text);

#endif
