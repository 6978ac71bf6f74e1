#include "server/mqtt_access.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "server/password.h"
#include "server/server.h"
#include "server/topic_rules.h"

enum {
    JOBS_MAX = 256,       /* passwords waiting to be looked at; beyond, the server is busy (0x89) */
    LIFE_MAX_S = 1 << 30, /* of a token, beyond which it is for ever */
};

enum { DIGEST_SIZE = 32 };

struct user {
    struct fray_slice name, hash; /* in `text` */
    uint8_t digest[DIGEST_SIZE];  /* of the password that was right, by a key of this process */
    bool has_digest;
    char text[];
};

/* One password to be verified, on the verifier's thread. */
struct job {
    struct fray_post post; /* first */
    struct fray_mqtt_access_control *control;
    struct job *next; /* of those waiting */
    struct fray_handle session;
    struct user *user; /* the worker's; NULL: there is none of that name */
    struct fray_slice hash;
    bool is_right;
    uint8_t digest[DIGEST_SIZE];
    size_t password_len;
    char password[];
};

struct fray_mqtt_access_control {
    struct fray_mqtt_access access; /* first */
    fray_server *server;
    struct fray_server_worker *home;
    struct fray_name_map users;     /* struct user */
    struct fray_buf no_hash;        /* what the password of an unknown user is compared with */
    struct fray_topic_rules *rules; /* NULL: all topics are everybody's */
    uint8_t digest_key[DIGEST_SIZE];
    struct job *waiting, **last; /* the worker's */
    size_t waiting_count;
    struct job *verified; /* the one that the verifier has; NULL: none */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t wake;
    struct job *next; /* for the verifier */
    bool is_stopping;
};

/* ------------------------------------------------------------------ the verifier */

static void job_free(struct job *job)
{
    OPENSSL_cleanse(job->password, job->password_len);
    free(job);
}

static void digest_password(const struct fray_mqtt_access_control *self, struct fray_slice password,
                            uint8_t digest[DIGEST_SIZE])
{
    HMAC(EVP_sha256(), self->digest_key, DIGEST_SIZE, (const unsigned char *)password.data,
         password.len, digest, NULL);
}

/* Gives the verifier the oldest job whose client still waits, if it has none: those who went away
 * must not keep others waiting. */
static void hand_over(struct fray_mqtt_access_control *self)
{
    while (self->waiting && !self->verified) {
        struct job *job = self->waiting;
        self->waiting = job->next;
        if (!self->waiting)
            self->last = &self->waiting;
        self->waiting_count--;
        if (!fray_mqtt_awaits_verdict(&self->home->base, job->session)) {
            job_free(job);
            continue;
        }
        self->verified = job;
        pthread_mutex_lock(&self->mutex);
        self->next = job;
        pthread_cond_signal(&self->wake);
        pthread_mutex_unlock(&self->mutex);
    }
}

static void run_verdict(struct fray_loop *loop, struct fray_post *post)
{
    struct job *job = (struct job *)post;
    struct fray_mqtt_access_control *self = job->control;
    (void)loop;
    if (job->is_right) {
        memcpy(job->user->digest, job->digest, DIGEST_SIZE);
        job->user->has_digest = true;
    }
    self->verified = NULL;
    fray_mqtt_authenticated(&self->home->base, job->session,
                            job->is_right ? FRAY_MQTT_SUCCESS
                                          : FRAY_MQTT_BAD_USER_NAME_OR_PASSWORD);
    job_free(job);
    hand_over(self);
}

static struct job *next_job(struct fray_mqtt_access_control *self)
{
    pthread_mutex_lock(&self->mutex);
    while (!self->next && !self->is_stopping)
        pthread_cond_wait(&self->wake, &self->mutex);
    struct job *job = self->is_stopping ? NULL : self->next;
    self->next = NULL;
    pthread_mutex_unlock(&self->mutex);
    return job;
}

/* scrypt takes a tenth of a second and more, which no loop can spare. An unknown user takes as long
 * as a wrong password, so that nobody learns names. */
static void *verify_all(void *argument)
{
    struct fray_mqtt_access_control *self = argument;
    struct job *job;
    while ((job = next_job(self))) {
        struct fray_slice password = {job->password, job->password_len};
        bool fits = fray_password_verify(password, job->hash);
        job->is_right = fits && job->user;
        digest_password(self, password, job->digest);
        fray_loop_post(self->home->loop, &job->post);
    }
    return NULL;
}

/* Whether the password was right before: devices that come back all at once need not wait for each
 * other. */
static bool is_remembered(const struct fray_mqtt_access_control *self, const struct user *user,
                          struct fray_slice password)
{
    uint8_t digest[DIGEST_SIZE];
    if (!user || !user->has_digest)
        return false;
    digest_password(self, password, digest);
    return CRYPTO_memcmp(digest, user->digest, DIGEST_SIZE) == 0;
}

static enum fray_err start_job(struct fray_mqtt_access_control *self, struct fray_handle session,
                               const struct fray_mqtt_connect *connect,
                               struct fray_mqtt_verdict *verdict)
{
    struct user *user = fray_name_map_get(&self->users, connect->username);
    struct fray_slice password = connect->has_password ? connect->password : FRAY_SLICE("");
    if (is_remembered(self, user, password))
        return FRAY_OK;
    if (self->waiting_count >= JOBS_MAX) {
        verdict->reason = FRAY_MQTT_SERVER_BUSY;
        return FRAY_OK;
    }
    struct job *job = fray_alloc(sizeof *job + password.len);
    *job = (struct job){
        .post.run = run_verdict,
        .control = self,
        .session = session,
        .user = user,
        .hash = user ? user->hash : fray_buf_slice(&self->no_hash),
        .password_len = password.len,
    };
    if (password.len)
        memcpy(job->password, password.data, password.len);
    *self->last = job;
    self->last = &job->next;
    self->waiting_count++;
    hand_over(self);
    return FRAY_ERR_AGAIN;
}

/* ------------------------------------------------------------------ judging */

/* The password is a signed token, and the user name whom it is for. The reasons are those that
 * other protocols give (identity.c). */
static void judge_token(const struct fray_mqtt_access_control *self,
                        const struct fray_mqtt_connect *connect, struct fray_mqtt_verdict *verdict)
{
    json_t *claims;
    verdict->reason = FRAY_MQTT_NOT_AUTHORIZED;
    if (fray_jwt_verify(self->server->jwt, connect->password, (int64_t)time(NULL), &claims,
                        &verdict->why))
        return;
    const char *subject = json_string_value(json_object_get(claims, "sub"));
    const json_t *exp = json_object_get(claims, "exp");
    double life_s = json_number_value(exp) - (double)fray_server_unix_ms() / 1000;
    if (exp && life_s < LIFE_MAX_S)
        verdict->expires_us =
            *self->home->base.now_us + (uint64_t)((life_s > 0 ? life_s : 0) * 1e6);
    if (subject && fray_slice_equal(connect->username, fray_slice_of(subject)))
        verdict->reason = FRAY_MQTT_SUCCESS;
    else
        verdict->why = "The user name is not the token's subject (sub).";
    json_decref(claims);
}

static enum fray_err authenticate(struct fray_mqtt_access *access, struct fray_handle session,
                                  const struct fray_mqtt_connect *connect,
                                  struct fray_mqtt_verdict *verdict)
{
    struct fray_mqtt_access_control *self = (struct fray_mqtt_access_control *)access;
    const struct fray_jwt_verifier *jwt = self->server->jwt;
    if (connect->has_username && jwt) {
        judge_token(self, connect, verdict);
    } else if (connect->has_username && self->has_thread) {
        return start_job(self, session, connect, verdict);
    } else if (!self->server->config.mqtt_anonymous) {
        verdict->reason = FRAY_MQTT_NOT_AUTHORIZED;
        verdict->why = jwt ? "A token is needed." : "A user name and a password are needed.";
    }
    return FRAY_OK;
}

static bool may(struct fray_mqtt_access *access, const struct fray_mqtt_identity *identity,
                enum fray_mqtt_action action, struct fray_slice topic)
{
    const struct fray_mqtt_access_control *self = (struct fray_mqtt_access_control *)access;
    struct fray_mqtt_identity checked = *identity;
    if (!self->has_thread && !self->server->jwt)
        checked.username.len = 0; /* a claim that nobody has checked */
    return !self->rules || fray_topic_rules_allow(self->rules, &checked, action, topic);
}

/* ------------------------------------------------------------------ reading files */

static enum fray_err read_file(fray_server *server, const char *option, const char *path,
                               struct fray_buf *text)
{
    FILE *file = fopen(path, "re");
    size_t count;
    if (!file)
        return fray_server_fail(server, FRAY_ERR_CONFIG, "%s: %s cannot be read: %s.", option, path,
                                strerror(errno));
    while ((count = fread(fray_buf_reserve(text, 4096), 1, 4096, file)) > 0)
        text->len += count;
    fclose(file);
    return FRAY_OK;
}

/* NULL, or what is wrong. */
static const char *add_user(struct fray_mqtt_access_control *self, struct fray_slice line)
{
    const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
    if (!colon || colon == line.data)
        return "not NAME:HASH";
    struct user *user = fray_alloc(sizeof *user + line.len);
    *user = (struct user){0};
    memcpy(user->text, line.data, line.len);
    size_t name_len = (size_t)(colon - line.data);
    user->name = fray_slice(user->text, name_len);
    user->hash = fray_slice(user->text + name_len + 1, line.len - name_len - 1);
    const char *wrong = fray_name_map_get(&self->users, user->name) ? "this user is there twice"
                        : !fray_password_hash_valid(user->hash)     ? "no hash of `fray passwd`"
                                                                    : NULL;
    if (wrong)
        free(user);
    else
        fray_name_map_add(&self->users, user->name, user);
    return wrong;
}

static enum fray_err read_users(struct fray_mqtt_access_control *self, const char *path)
{
    struct fray_buf text = {0};
    enum fray_err err = read_file(self->server, "mqtt_password_file", path, &text);
    struct fray_slice rest = fray_buf_slice(&text);
    for (unsigned number = 1; rest.len && !err; number++) {
        const char *end = memchr(rest.data, '\n', rest.len);
        struct fray_slice line = {rest.data, end ? (size_t)(end - rest.data) : rest.len};
        rest = fray_slice_skip(rest, line.len + (end ? 1 : 0));
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        const char *wrong = line.len && line.data[0] != '#' ? add_user(self, line) : NULL;
        if (wrong)
            err = fray_server_fail(self->server, FRAY_ERR_CONFIG,
                                   "mqtt_password_file: %s, line %u: %s.", path, number, wrong);
    }
    fray_buf_deinit(&text);
    return err;
}

static enum fray_err read_rules(struct fray_mqtt_access_control *self, const char *path)
{
    struct fray_buf text = {0}, wrong = {0};
    enum fray_err err = read_file(self->server, "mqtt_acl_file", path, &text);
    if (!err && fray_topic_rules_parse(fray_buf_slice(&text), &self->rules, &wrong))
        err = fray_server_fail(self->server, FRAY_ERR_CONFIG, "mqtt_acl_file: %s, %.*s", path,
                               (int)wrong.len, wrong.data);
    fray_buf_deinit(&text);
    fray_buf_deinit(&wrong);
    return err;
}

/* ------------------------------------------------------------------ life */

static enum fray_err start_thread(struct fray_mqtt_access_control *self)
{
    fray_password_hash(FRAY_SLICE(""), &self->no_hash);
    self->home->base.random(&self->home->base, self->digest_key, DIGEST_SIZE);
    int failed = pthread_create(&self->thread, NULL, verify_all, self);
    if (failed)
        return fray_server_fail(self->server, FRAY_ERR_IO, "A thread cannot be made: %s.",
                                strerror(failed));
    self->has_thread = true;
    return FRAY_OK;
}

static enum fray_err set_up(struct fray_mqtt_access_control *self)
{
    const struct fray_config *config = &self->server->config;
    enum fray_err err = FRAY_OK;
    if (*config->mqtt_password_file && !(err = read_users(self, config->mqtt_password_file)))
        err = start_thread(self);
    if (!err && *config->mqtt_acl_file)
        err = read_rules(self, config->mqtt_acl_file);
    return err;
}

enum fray_err fray_mqtt_access_create(struct fray_server *server, struct fray_server_worker *home,
                                      struct fray_mqtt_access_control **access)
{
    const struct fray_config *config = &server->config;
    bool has_users = *config->mqtt_password_file || server->jwt;
    if (config->mqtt_anonymous && !has_users && !*config->mqtt_acl_file)
        return FRAY_OK;
    if (!config->mqtt_anonymous && !has_users)
        return fray_server_fail(server, FRAY_ERR_CONFIG,
                                "Without mqtt_anonymous nobody could connect: give users with "
                                "mqtt_password_file, or tokens with auth = jwt.");
    struct fray_mqtt_access_control *self = fray_alloc_zero(sizeof *self);
    self->access = (struct fray_mqtt_access){authenticate, may};
    self->server = server;
    self->home = home;
    self->last = &self->waiting;
    home->base.random(&home->base, &self->users.key, sizeof self->users.key);
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->wake, NULL);
    *access = self;
    return set_up(self);
}

struct fray_mqtt_access *fray_mqtt_access_of(struct fray_mqtt_access_control *access)
{
    return access ? &access->access : NULL;
}

void fray_mqtt_access_destroy(struct fray_mqtt_access_control *self)
{
    if (!self)
        return;
    if (self->has_thread) {
        pthread_mutex_lock(&self->mutex);
        self->is_stopping = true;
        pthread_cond_signal(&self->wake);
        pthread_mutex_unlock(&self->mutex);
        pthread_join(self->thread, NULL);
    }
    if (self->verified)
        job_free(self->verified);
    for (struct job *job = self->waiting, *next; job; job = next) {
        next = job->next;
        job_free(job);
    }
    for (uint32_t i = 0; i < self->users.cap; i++)
        free(self->users.entries[i].object);
    fray_name_map_deinit(&self->users);
    fray_buf_deinit(&self->no_hash);
    if (self->rules)
        fray_topic_rules_destroy(self->rules);
    pthread_mutex_destroy(&self->mutex);
    pthread_cond_destroy(&self->wake);
    free(self);
}
