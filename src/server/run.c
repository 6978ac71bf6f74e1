/* A program that is a server: options, signals, exit code. */
#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "server/config_load.h"
#include "server/server.h"

extern char **environ;

static fray_server *running; /* what the signal handler stops; set before the handler is */

static void on_signal(int number)
{
    (void)number;
    fray_server_stop(running);
}

static void handle_signals(fray_server *server)
{
    running = server;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void warn_of_stray_variables(void)
{
    struct fray_slice name;
    for (size_t i = 0; (name = fray_config_stray_variable(environ, &i)).len;)
        fray_log(FRAY_LOG_WARN, "unknown_variable", "name=%.*s", (int)name.len, name.data);
}

int fray_server_run(fray_server *server, int argc, char **argv)
{
    struct fray_buf text = {0};
    enum fray_config_action action;
    enum fray_err err =
        fray_config_load(fray_server_config(server), argc, argv, environ, &action, &text);
    if (err || action == FRAY_CONFIG_PRINT)
        fprintf(err ? stderr : stdout, "%.*s%s", (int)text.len, text.data, err ? "\n" : "");
    fray_buf_deinit(&text);
    if (err)
        return 2;
    if (action == FRAY_CONFIG_PRINT)
        return 0;
    handle_signals(server);
    warn_of_stray_variables();
    err = fray_server_start(server);
    if (err) {
        fprintf(stderr, "%s\n", fray_server_error(server));
        return err == FRAY_ERR_CONFIG ? 2 : 1;
    }
    fray_server_wait(server);
    return 0;
}

int fray_main_apps(int argc, char **argv, const struct fray_app *apps, size_t apps_count)
{
    fray_server *server = fray_server_create();
    enum fray_err err = FRAY_OK;
    for (size_t i = 0; i < apps_count && !err; i++)
        err = fray_server_add(server, &apps[i]);
    if (err)
        fprintf(stderr, "%s\n", fray_server_error(server)); /* a wrong setting */
    int code = err ? 2 : fray_server_run(server, argc, argv);
    fray_server_destroy(server);
    return code;
}

int fray_main(int argc, char **argv, const struct fray_app *app)
{
    return fray_main_apps(argc, argv, app, 1);
}
