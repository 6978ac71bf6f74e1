#include "wire/mqtt_decode.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

/* Bytes as a test writes them: hex digits and spaces; 'text' stands for itself. */
static struct fray_buf bytes_of(const char *notation)
{
    struct fray_buf buf = {0};
    while (*notation) {
        if (*notation == '\'') {
            for (notation++; *notation != '\''; notation++)
                fray_buf_append_byte(&buf, (uint8_t)*notation);
            notation++;
        } else if (isxdigit((unsigned char)*notation)) {
            char pair[3] = {notation[0], notation[1], 0};
            fray_buf_append_byte(&buf, (uint8_t)strtoul(pair, NULL, 16));
            notation += 2;
        } else {
            notation++;
        }
    }
    return buf;
}

enum {
    V0 = FRAY_MQTT_VERSION_UNKNOWN,
    V31 = FRAY_MQTT_3_1,
    V311 = FRAY_MQTT_3_1_1,
    V5 = FRAY_MQTT_5
};
enum { C = FRAY_MQTT_CLIENT, S = FRAY_MQTT_SERVER };

struct sample {
    const char *section;
    int version; /* of the connection */
    int sender;
    const char *bytes;
    enum fray_mqtt_reason reason;
    enum fray_err err; /* FRAY_ERR_SYNTAX when left 0 in a list of faults */
};

static enum fray_err decode(const struct sample *sample, struct fray_slice bytes,
                            struct fray_mqtt_packet *packet, enum fray_mqtt_reason *reason)
{
    struct fray_mqtt_decode_options options = {
        .version = (enum fray_mqtt_version)sample->version,
        .sender = (enum fray_mqtt_role)sample->sender,
        .maximum_packet_size = 1000,
        .topic_alias_maximum = 10,
        .check_payload_format = true,
    };
    return fray_mqtt_decode(&options, bytes, packet, reason);
}

/* Every strict prefix, in memory of exactly its size so that a sanitizer sees a read beyond it:
 * AGAIN, or the whole packet's fault early; never accepted. */
static void check_prefixes(const struct sample *sample, struct fray_slice bytes)
{
    for (size_t len = 0; len < bytes.len; len++) {
        char *copy = fray_strndup(bytes.data, len);
        char *exact = fray_realloc(copy, len ? len : 1);
        struct fray_mqtt_packet packet;
        enum fray_mqtt_reason reason;
        enum fray_err err = decode(sample, fray_slice(exact, len), &packet, &reason);
        if (err == FRAY_OK)
            fail_msg("%s: accepted %zu of %zu bytes", sample->section, len, bytes.len);
        if (err != FRAY_ERR_AGAIN && sample->err == FRAY_OK && sample->reason == 0)
            fail_msg("%s: refused after %zu bytes", sample->section, len);
        if (err == FRAY_ERR_AGAIN && packet.size && packet.size != bytes.len)
            fail_msg("%s: size %u of %zu", sample->section, packet.size, bytes.len);
        free(exact);
    }
}

static void check_refused(const struct sample *sample)
{
    struct fray_buf buf = bytes_of(sample->bytes);
    struct fray_mqtt_packet packet;
    enum fray_mqtt_reason reason;
    enum fray_err err = decode(sample, fray_buf_slice(&buf), &packet, &reason);
    enum fray_err expected = sample->err ? sample->err : FRAY_ERR_SYNTAX;
    if (err != expected || reason != sample->reason)
        fail_msg("%s: %s 0x%02X instead of %s 0x%02X", sample->section, fray_err_name(err), reason,
                 fray_err_name(expected), sample->reason);
    check_prefixes(sample, fray_buf_slice(&buf));
    fray_buf_deinit(&buf);
}

static void check_accepted(const struct sample *sample)
{
    struct fray_buf buf = bytes_of(sample->bytes);
    size_t size = buf.len;
    check_prefixes(sample, fray_buf_slice(&buf));
    fray_buf_append(&buf, "\xFF\xFF", 2); /* the next packet's bytes are none of this one's */
    struct fray_mqtt_packet packet;
    enum fray_mqtt_reason reason;
    enum fray_err err = decode(sample, fray_buf_slice(&buf), &packet, &reason);
    if (err || reason || packet.size != size)
        fail_msg("%s: %s 0x%02X size %u", sample->section, fray_err_name(err), reason, packet.size);
    fray_buf_deinit(&buf);
}

#define REFUSED(samples)                                                                           \
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)                                \
    check_refused(&samples[i])
#define ACCEPTED(samples)                                                                          \
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)                                \
    check_accepted(&samples[i])

static void malformed_fixed_headers_are_refused(void **unused)
{
    (void)unused;
    static const struct sample samples[] = {
        {"2.1.2 type 0 is reserved", V5, C, "00 00", 0x81, 0},
        {"2.1.3 CONNECT flags", V0, C, "11 00", 0x81, 0},
        {"2.1.3 SUBSCRIBE flags", V5, C, "80 08 0001 00 0001 'a' 00", 0x81, 0},
        {"2.1.3 SUBSCRIBE flags, 3.1.1", V311, C, "8A 06 0001 0001 'a' 00", 0x81, 0},
        {"2.1.3 UNSUBSCRIBE flags", V5, C, "A0 06 0001 00 0001 'a'", 0x81, 0},
        {"2.1.3 PUBREL flags", V5, C, "60 02 0001", 0x81, 0},
        {"2.1.3 PUBACK flags", V5, C, "41 02 0001", 0x81, 0},
        {"2.1.3 PINGREQ flags", V5, C, "C1 00", 0x81, 0},
        {"2.1.3 DISCONNECT flags", V311, C, "E2 00", 0x81, 0},
        {"1.5.5 five length bytes", V5, C, "30 FF FF FF FF", 0x81, 0},
        {"1.5.5 five length bytes, 3.1.1", V311, C, "30 80 80 80 80 01", 0x81, 0},
        {"1.5.5 length in a long form", V5, C, "C0 80 00", 0x81, 0},
        {"1.5.5 CONNECT length in a long form", V0, C, "10 8D 00 0004 'MQTT' 05 02 003C 00 0000",
         0x81, 0},
        {"3.1.2.11.4 one byte over the maximum packet size", V5, C, "30 E6 07", 0x95,
         FRAY_ERR_LIMIT},
        {"3.1.2.11.4 far over it", V0, C, "10 FF FF FF 7F", 0x95, FRAY_ERR_LIMIT},
        {"3.1.0-1 PUBLISH before CONNECT", V0, C, "30", 0x82, FRAY_ERR_STATE},
        {"3.1.0-1 PINGREQ before CONNECT", V0, C, "C0 00", 0x82, FRAY_ERR_STATE},
        {"2.1.2 CONNACK by a client", V5, C, "20", 0x82, FRAY_ERR_STATE},
        {"2.1.2 SUBACK by a client", V5, C, "90", 0x82, FRAY_ERR_STATE},
        {"2.1.2 UNSUBACK by a client", V5, C, "B0", 0x82, FRAY_ERR_STATE},
        {"2.1.2 PINGRESP by a client", V5, C, "D0", 0x82, FRAY_ERR_STATE},
        {"2.1.2 CONNECT by a server", V5, S, "10", 0x82, FRAY_ERR_STATE},
        {"2.1.2 SUBSCRIBE by a server", V5, S, "82", 0x82, FRAY_ERR_STATE},
        {"2.1.2 UNSUBSCRIBE by a server", V5, S, "A2", 0x82, FRAY_ERR_STATE},
        {"2.1.2 PINGREQ by a server", V5, S, "C0", 0x82, FRAY_ERR_STATE},
        {"3.1.1: 2.2.1 AUTH", V311, C, "F0 00", 0x82, FRAY_ERR_STATE},
        {"3.1.1: 3.14 DISCONNECT by a server", V311, S, "E0 00", 0x82, FRAY_ERR_STATE},
        {"3.12 PINGREQ with a body", V5, C, "C0 01 00", 0x81, 0},
        {"3.1.1: 3.14 DISCONNECT with a body", V311, C, "E0 01 00", 0x81, 0},
    };
    REFUSED(samples);
}

/* CONNECT that says only what is given after the keep-alive. */
#define CONNECT_5(length, flags, rest) "10 " length " 0004 'MQTT' 05 " flags " 003C " rest
#define CONNECT_311(length, flags, rest) "10 " length " 0004 'MQTT' 04 " flags " 003C " rest
#define CONNECT_31(length, flags, rest) "10 " length " 0006 'MQIsdp' 03 " flags " 003C " rest

static void malformed_connects_are_refused(void **unused)
{
    (void)unused;
    static const struct sample samples[] = {
        {"3.1.2.1 protocol name", V0, C, "10 0C 0004 'MQTX' 04 02 003C 0000", 0x84,
         FRAY_ERR_UNSUPPORTED},
        {"3.1.2.2 level 6", V0, C, "10 0D 0004 'MQTT' 06 02 003C 00 0000", 0x84,
         FRAY_ERR_UNSUPPORTED},
        {"3.1.2.2 level 3 with the newer name", V0, C, "10 0D 0004 'MQTT' 03 02 003C 0001 'a'",
         0x84, FRAY_ERR_UNSUPPORTED},
        {"3.1.2.2 level 4 with the older name", V0, C, "10 0F 0006 'MQIsdp' 04 02 003C 0001 'a'",
         0x84, FRAY_ERR_UNSUPPORTED},
        {"3.1.2.3 reserved flag", V0, C, CONNECT_5("0D", "03", "00 0000"), 0x81, 0},
        {"3.1.1: 3.1.2.3 reserved flag", V0, C, CONNECT_311("0C", "03", "0000"), 0x81, 0},
        {"3.1.2.5 will QoS without will", V0, C, CONNECT_5("0D", "0A", "00 0000"), 0x81, 0},
        {"3.1.2.5 will retain without will", V0, C, CONNECT_311("0C", "22", "0000"), 0x81, 0},
        {"3.1.2.6 will QoS 3", V0, C, CONNECT_5("13", "1E", "00 0000 00 0001 't' 0000"), 0x81, 0},
        {"3.1.1: 3.1.2.9 password without user name", V0, C,
         CONNECT_311("0F", "42", "0000 0001 'p'"), 0x81, 0},
        {"3.1.3 client id missing", V0, C, CONNECT_311("0A", "02", ""), 0x81, 0},
        {"3.1.3.3 will topic missing", V0, C, CONNECT_5("0D", "06", "00 0000"), 0x81, 0},
        {"3.1.3.5 user name missing", V0, C, CONNECT_311("0C", "82", "0000"), 0x81, 0},
        {"3.1.3.6 password cut short", V0, C, CONNECT_5("0F", "42", "00 0000 0001"), 0x81, 0},
        {"3.1 bytes after the payload", V0, C, CONNECT_5("0E", "02", "00 0000 00"), 0x81, 0},
        {"3.1.3.1 no client id, session kept", V0, C, CONNECT_311("0C", "00", "0000"), 0x85,
         FRAY_ERR_TYPE},
        {"3.1: 3.1 no client id", V0, C, CONNECT_31("0E", "02", "0000"), 0x85, FRAY_ERR_TYPE},
        {"1.5.4 client id not UTF-8", V0, C, CONNECT_5("0E", "02", "00 0001 FF"), 0x81,
         FRAY_ERR_UTF8},
        {"1.5.4 client id with NUL", V0, C, CONNECT_311("0D", "02", "0001 00"), 0x81,
         FRAY_ERR_UTF8},
        {"1.5.4 user name with a surrogate", V0, C, CONNECT_5("12", "82", "00 0000 0003 EDA080"),
         0x81, FRAY_ERR_UTF8},
        {"3.1.3.3 will topic with a wildcard", V0, C,
         CONNECT_5("13", "06", "00 0000 00 0001 '#' 0000"), 0x90, 0},
        {"3.1.3.3 empty will topic", V0, C, CONNECT_311("10", "06", "0000 0000 0000"), 0x90, 0},
        {"3.1.3.2.3 will payload is not what it claims", V0, C,
         CONNECT_5("16", "06", "00 0000 02 0101 0001 't' 0001 FF"), 0x99, FRAY_ERR_TYPE},
        {"3.1.3.2.2 will delay outside of the will", V0, C,
         CONNECT_5("12", "02", "05 18 00000001 0000"), 0x81, 0},
        {"3.1.2.11.2 session expiry twice", V0, C,
         CONNECT_5("17", "02", "0A 11 00000001 11 00000001 0000"), 0x82, 0},
        {"3.1.2.11.3 receive maximum 0", V0, C, CONNECT_5("10", "02", "03 210000 0000"), 0x82, 0},
        {"3.1.2.11.4 maximum packet size 0", V0, C, CONNECT_5("12", "02", "05 27 00000000 0000"),
         0x82, 0},
        {"3.1.2.11.6 request response information 2", V0, C, CONNECT_5("0F", "02", "02 1902 0000"),
         0x82, 0},
        {"3.1.2.11.7 request problem information 2", V0, C, CONNECT_5("0F", "02", "02 1702 0000"),
         0x82, 0},
        {"3.1.2.11.10 authentication data without method", V0, C,
         CONNECT_5("11", "02", "04 160001FF 0000"), 0x82, 0},
    };
    REFUSED(samples);
}

static void connects_are_accepted(void **unused)
{
    (void)unused;
    static const struct sample samples[] = {
        {"3.1.3-6 no client id", V0, C, CONNECT_5("0D", "02", "00 0000"), 0, 0},
        {"5.0 no client id, session kept", V0, C, CONNECT_5("0D", "00", "00 0000"), 0, 0},
        {"3.1.2.9 password without user name", V0, C, CONNECT_5("10", "42", "00 0000 0001 'p'"), 0,
         0},
        {"3.1.1 plain", V0, C, CONNECT_311("0D", "00", "0001 'a'"), 0, 0},
        {"3.1.1 length in a long form", V0, C, "10 8D 00 0004 'MQTT' 04 02 003C 0001 'a'", 0, 0},
        {"3.1 plain", V0, C, CONNECT_31("0F", "02", "0001 'a'"), 0, 0},
        {"3.1 unused flag", V0, C, CONNECT_31("0F", "03", "0001 'a'"), 0, 0},
        {"3.1 user name flagged and left out", V0, C, CONNECT_31("0F", "C2", "0001 'a'"), 0, 0},
        {"3.1 more than 23 characters", V0, C,
         CONNECT_31("28", "02", "001A 'abcdefghijklmnopqrstuvwxyz'"), 0, 0},
        {"will with binary payload", V0, C, CONNECT_311("14", "0E", "0000 0001 't' 0003 FF00FE"), 0,
         0},
        {"a second CONNECT is the protocol's to refuse", V311, C, CONNECT_5("0D", "02", "00 0000"),
         0, 0},
    };
    ACCEPTED(samples);
}

static void the_version_to_answer_in_is_known_after_a_refusal(void **unused)
{
    (void)unused;
    static const struct {
        const char *bytes;
        enum fray_mqtt_version version;
    } samples[] = {
        {"10 0D 0004 'MQTT' 06 02 003C 00 0000", FRAY_MQTT_5},
        {"10 0D 0004 'MQTT' 02 02 003C 00 0000", FRAY_MQTT_3_1_1},
        {CONNECT_5("0D", "03", "00 0000"), FRAY_MQTT_5},
        {CONNECT_311("0C", "03", "0000"), FRAY_MQTT_3_1_1},
        {"10 02 0004", FRAY_MQTT_VERSION_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct fray_buf buf = bytes_of(samples[i].bytes);
        struct fray_mqtt_packet packet;
        enum fray_mqtt_reason reason;
        struct sample sample = {.version = V0, .sender = C};
        assert_int_not_equal(decode(&sample, fray_buf_slice(&buf), &packet, &reason), FRAY_OK);
        assert_int_equal(packet.type, FRAY_MQTT_CONNECT);
        assert_int_equal(packet.connect.version, samples[i].version);
        fray_buf_deinit(&buf);
    }
}

static void malformed_publishes_are_refused(void **unused)
{
    (void)unused;
    static const struct sample samples[] = {
        {"3.3.1-4 QoS 3", V5, C, "36 06 0001 'a' 0001 00", 0x81, 0},
        {"3.3.1-4 QoS 3, 3.1.1", V311, C, "36 05 0001 'a' 0001", 0x81, 0},
        {"3.3.1-2 DUP with QoS 0", V311, C, "38 03 0001 'a'", 0x81, 0},
        {"3.3.2-2 wildcard", V5, C, "30 06 0003 'a/#' 00", 0x90, 0},
        {"3.3.2-2 wildcard, 3.1.1", V311, C, "30 05 0003 'a/+'", 0x90, 0},
        {"3.3.2.1 no topic and no alias", V5, C, "30 03 0000 00", 0x82, 0},
        {"3.1.1: 4.7.3-1 no topic", V311, C, "30 02 0000", 0x82, 0},
        {"2.2.1-3 packet id 0", V5, C, "32 06 0001 'a' 0000 00", 0x82, 0},
        {"2.2.1-3 packet id 0, 3.1.1", V311, C, "34 05 0001 'a' 0000", 0x82, 0},
        {"3.3.2.2 packet id missing", V311, C, "32 03 0001 'a'", 0x81, 0},
        {"3.3.2.1 topic longer than the packet", V311, C, "30 03 0002 'a'", 0x81, 0},
        {"3.3.2.3.1 property length missing", V5, C, "30 03 0001 'a'", 0x81, 0},
        {"2.2.2.1 property length over the packet", V5, C, "30 04 0001 'a' 01", 0x81, 0},
        {"2.2.2.1 property length in a long form", V5, C, "30 05 0001 'a' 8000", 0x81, 0},
        {"2.2.2.2 unknown property", V5, C, "30 06 0001 'a' 02 0401", 0x81, 0},
        {"2.2.2.2 property beyond the table", V5, C, "30 06 0001 'a' 02 7F01", 0x81, 0},
        {"2.2.2.2 property cut short", V5, C, "30 06 0001 'a' 02 0200", 0x81, 0},
        {"2.2.2.2 receive maximum in PUBLISH", V5, C, "30 07 0001 'a' 03 210001", 0x81, 0},
        {"3.3.2.3.2 payload format twice", V5, C, "30 08 0001 'a' 04 01000100", 0x82, 0},
        {"3.3.2.3.2 payload format 2", V5, C, "30 06 0001 'a' 02 0102", 0x82, 0},
        {"3.3.2.3.2 payload is not UTF-8", V5, C, "30 07 0001 'a' 02 0101 FF", 0x99, FRAY_ERR_TYPE},
        {"3.3.2.3.3 expiry twice", V5, C, "30 0E 0001 'a' 0A 0200000001 0200000001", 0x82, 0},
        {"3.3.2-8 topic alias 0", V5, C, "30 07 0001 'a' 03 230000", 0x94, 0},
        {"3.3.2-9 topic alias over the maximum", V5, C, "30 07 0001 'a' 03 23000B", 0x94, 0},
        {"3.3.2.3.4 topic alias twice", V5, C, "30 0A 0001 'a' 06 230001230001", 0x82, 0},
        {"3.3.2-14 wildcard in the response topic", V5, C, "30 08 0001 'a' 04 080001 '#'", 0x82, 0},
        {"3.3.4-6 subscription identifier by a client", V5, C, "30 06 0001 'a' 02 0B01", 0x82, 0},
        {"3.3.2.3.8 subscription identifier 0", V5, S, "30 06 0001 'a' 02 0B00", 0x82, 0},
        {"1.5.4 topic not UTF-8", V311, C, "30 04 0002 C080", 0x81, FRAY_ERR_UTF8},
        {"1.5.4 topic with NUL", V5, C, "30 05 0002 'a'00 00", 0x81, FRAY_ERR_UTF8},
        {"1.5.4 user property not UTF-8", V5, C, "30 0B 0001 'a' 07 26 0001 FF 0001 'v'", 0x81,
         FRAY_ERR_UTF8},
        {"1.5.7 user property cut short", V5, C, "30 08 0001 'a' 04 26 0001 'k'", 0x81, 0},
    };
    REFUSED(samples);
}

static void publishes_are_accepted(void **unused)
{
    (void)unused;
    static const struct sample samples[] = {
        {"empty payload", V311, C, "30 03 0001 'a'", 0, 0},
        {"topic alias for a topic", V5, C, "30 06 0000 03 23000A", 0, 0},
        {"byte order mark 1.5.4-3", V311, C, "30 06 0004 EFBBBF 'a'", 0, 0},
        {"QoS 2, DUP, retain", V5, C, "3D 07 0001 'a' FFFF 00 'x'", 0, 0},
        {"two subscription identifiers by a server", V5, S, "30 08 0001 'a' 04 0B010B02", 0, 0},
        {"user property twice", V5, C, "30 12 0001 'a' 0E 26 0001'k'0001'v' 26 0001'k'0001'v'", 0,
         0},
        {"UTF-8 payload may hold NUL", V5, C, "30 07 0001 'a' 02 0101 00", 0, 0},
        {"length in a long form before 5.0", V311, C, "30 83 00 0001 'a'", 0, 0},
    };
    ACCEPTED(samples);
}

static void malformed_acks_are_refused(void **unused)
{
    (void)unused;
    static const struct sample samples[] = {
        {"2.2.1 PUBACK packet id 0", V5, C, "40 02 0000", 0x82, 0},
        {"2.2.1 PUBREL packet id 0, 3.1.1", V311, C, "62 02 0000", 0x82, 0},
        {"3.4 PUBACK too short", V5, C, "40 01 00", 0x81, 0},
        {"3.1.1: 3.4 PUBACK too long", V311, C, "40 03 0001 00", 0x81, 0},
        {"3.4.2.1 unknown reason", V5, C, "40 03 0001 FF", 0x82, 0},
        {"3.6.2.1 reason of PUBACK in PUBREL", V5, C, "62 03 0001 10", 0x82, 0},
        {"3.7.2.1 reason of PUBREC in PUBCOMP", V5, C, "70 03 0001 97", 0x82, 0},
        {"3.4.2.2.2 reason string twice", V5, C, "40 0C 0001 00 08 1F0001'a' 1F0001'b'", 0x82, 0},
        {"3.5.2.2 content type in PUBREC", V5, C, "50 08 0001 00 04 030001'a'", 0x81, 0},
        {"3.4.2.2 bytes after the properties", V5, C, "40 05 0001 00 00 00", 0x81, 0},
    };
    REFUSED(samples);
    static const struct sample good[] = {
        {"3.4.2.1 no reason", V5, C, "40 02 0001", 0, 0},
        {"3.5.2.1 no properties", V5, C, "50 03 0001 10", 0, 0},
        {"3.6.2.2 empty properties", V5, C, "62 04 0001 92 00", 0, 0},
        {"3.1: DUP of a repeated PUBREL", V31, C, "6A 02 0001", 0, 0},
        {"3.7 PUBCOMP", V311, S, "70 02 0001", 0, 0},
    };
    ACCEPTED(good);
}

static void malformed_subscribes_are_refused(void **unused)
{
    (void)unused;
    static const struct sample samples[] = {
        {"3.8.3-2 no filter", V5, C, "82 03 0001 00", 0x82, 0},
        {"3.8.3-2 no filter, 3.1.1", V311, C, "82 02 0001", 0x82, 0},
        {"3.10.3-2 no filter", V5, C, "A2 03 0001 00", 0x82, 0},
        {"2.2.1-3 packet id 0", V311, C, "82 06 0000 0001 'a' 00", 0x82, 0},
        {"2.2.1-3 packet id 0", V5, C, "A2 06 0000 00 0001 'a'", 0x82, 0},
        {"3.8.3 options missing", V311, C, "82 05 0001 0001 'a'", 0x81, 0},
        {"3.8.3-5 reserved bits", V5, C, "82 07 0001 00 0001 'a' 40", 0x81, 0},
        {"3.1.1: 3.8.3-4 reserved bits", V311, C, "82 06 0001 0001 'a' 04", 0x81, 0},
        {"3.8.3.1 QoS 3", V5, C, "82 07 0001 00 0001 'a' 03", 0x82, 0},
        {"3.8.3.1 QoS 3, 3.1.1", V311, C, "82 06 0001 0001 'a' 03", 0x82, 0},
        {"3.8.3.1 retain handling 3", V5, C, "82 07 0001 00 0001 'a' 30", 0x82, 0},
        {"3.8.3-4 no local on a shared one", V5, C, "82 10 0001 00 000A '$share/g/a' 04", 0x82, 0},
        {"4.7.1-1 # not last", V5, C, "82 09 0001 00 0003 '#/a' 00", 0x8F, 0},
        {"4.7.1-1 # beside text", V311, C, "82 07 0001 0002 'a#' 00", 0x8F, 0},
        {"4.7.1-2 + beside text", V5, C, "82 08 0001 00 0002 '+a' 00", 0x8F, 0},
        {"4.7.3-1 empty filter", V311, C, "82 05 0001 0000 00", 0x8F, 0},
        {"4.7.3-1 empty filter", V5, C, "A2 05 0001 00 0000", 0x8F, 0},
        {"4.8.2-1 empty share name", V5, C, "82 0F 0001 00 0009 '$share//a' 00", 0x8F, 0},
        {"4.8.2-2 wildcard in the share name", V5, C, "82 10 0001 00 000A '$share/+/a' 00", 0x8F,
         0},
        {"4.8.2-2 no filter after the share name", V5, C, "82 0E 0001 00 0008 '$share/g' 00", 0x8F,
         0},
        {"1.5.4 filter not UTF-8", V5, C, "82 07 0001 00 0001 FF 00", 0x81, FRAY_ERR_UTF8},
        {"second filter is judged, too", V311, C, "82 0A 0001 0001 'a' 00 0001 'b' FF", 0x81, 0},
        {"3.8.2.1.2 subscription identifier 0", V5, C, "82 09 0001 02 0B00 0001 'a' 00", 0x82, 0},
        {"3.8.2.1.2 subscription identifier twice", V5, C, "82 0B 0001 04 0B010B02 0001 'a' 00",
         0x82, 0},
        {"3.8.2.1.2 subscription identifier too long", V5, C,
         "82 0D 0001 06 0BFFFFFFFF7F 0001 'a' 00", 0x81, 0},
        {"3.10.2.1 subscription identifier in UNSUBSCRIBE", V5, C, "A2 08 0001 02 0B01 0001 'a'",
         0x81, 0},
    };
    REFUSED(samples);
    static const struct sample good[] = {
        {"all options", V5, C, "82 07 0001 00 0001 'a' 2E", 0, 0},
        {"identifier of four bytes", V5, C, "82 0C 0001 05 0BFFFFFF7F 0001 '#' 00", 0, 0},
        {"shared", V5, C, "82 10 0001 00 000A '$share/g/#' 01", 0, 0},
        {"3.1: DUP of a repeated SUBSCRIBE", V31, C, "8A 06 0001 0001 'a' 02", 0, 0},
    };
    ACCEPTED(good);
}

static void malformed_server_packets_are_refused(void **unused)
{
    (void)unused;
    static const struct sample samples[] = {
        {"3.2.2-1 acknowledge flags", V311, S, "20 02 02 00", 0x81, 0},
        {"3.2.2-6 session present with a failure", V311, S, "20 02 01 05", 0x82, 0},
        {"3.2.2.3 reserved return code", V311, S, "20 02 00 06", 0x82, 0},
        {"3.2.2.2 unknown reason", V5, S, "20 03 00 01 00", 0x82, 0},
        {"3.2.2.3 maximum QoS 2", V5, S, "20 05 00 00 02 2402", 0x82, 0},
        {"3.2.2.3 properties missing", V5, S, "20 02 00 00", 0x81, 0},
        {"3.1.1: 3.9.3-2 reserved return code", V311, S, "90 03 0001 03", 0x82, 0},
        {"3.9.3 unknown reason", V5, S, "90 04 0001 00 11", 0x82, 0},
        {"3.9.3 no reason", V5, S, "90 03 0001 00", 0x82, 0},
        {"3.11.3 reason of SUBACK", V5, S, "B0 04 0001 00 01", 0x82, 0},
        {"3.1.1: 3.11 UNSUBACK with payload", V311, S, "B0 03 0001 00", 0x81, 0},
        {"2.2.1 SUBACK packet id 0", V311, S, "90 03 0000 00", 0x82, 0},
    };
    REFUSED(samples);
}

static void malformed_disconnects_and_auths_are_refused(void **unused)
{
    (void)unused;
    static const struct sample samples[] = {
        {"3.14.2.1 reason of a server", V5, C, "E0 01 8E", 0x82, 0},
        {"3.14.2.1 reason of a client", V5, S, "E0 01 04", 0x82, 0},
        {"3.14.2.1 unknown reason", V5, C, "E0 01 01", 0x82, 0},
        {"3.14.2-2 session expiry by a server", V5, S, "E0 07 00 05 1100000001", 0x82, 0},
        {"3.14.2.2.5 server reference by a client", V5, C, "E0 06 00 04 1C0001'a'", 0x82, 0},
        {"3.14.2.2 topic alias", V5, C, "E0 05 00 03 230001", 0x81, 0},
        {"3.15.2.1 unknown reason", V5, C, "F0 06 01 04 150001'm'", 0x82, 0},
        {"3.15.2.1 success by a client", V5, C, "F0 00", 0x82, 0},
        {"3.15.2.1 re-authenticate by a server", V5, S, "F0 06 19 04 150001'm'", 0x82, 0},
        {"3.15.2.2.2 no method", V5, C, "F0 02 18 00", 0x82, 0},
    };
    REFUSED(samples);
    static const struct sample good[] = {
        {"3.14.2.1 no reason", V5, C, "E0 00", 0, 0},
        {"3.14.2.1 with will", V5, C, "E0 01 04", 0, 0},
        {"3.14.2.2.2 session expiry", V5, C, "E0 07 00 05 1100000001", 0, 0},
        {"3.15 continue", V5, C, "F0 06 18 04 150001'm'", 0, 0},
        {"3.15 success", V5, S, "F0 00", 0, 0},
        {"3.1.1: 3.14", V311, C, "E0 00", 0, 0},
    };
    ACCEPTED(good);
}

static void values_are_slices_of_the_callers_bytes(void **unused)
{
    (void)unused;
    struct fray_buf buf = bytes_of("35 1D 0003 'a/b' 0102 0E 02 0000000A 03 0001 'j' 26 0000 0000"
                                   "'payload' C0 00");
    struct sample sample = {.version = V5, .sender = C};
    struct fray_mqtt_packet packet;
    enum fray_mqtt_reason reason;
    assert_int_equal(decode(&sample, fray_buf_slice(&buf), &packet, &reason), FRAY_OK);
    assert_int_equal(packet.size, 31);
    const struct fray_mqtt_publish *publish = &packet.publish;
    assert_int_equal(publish->qos, 2);
    assert_true(publish->retain);
    assert_false(publish->dup);
    assert_int_equal(publish->packet_id, 0x0102);
    assert_ptr_equal(publish->topic.data, buf.data + 4);
    assert_int_equal(publish->topic.len, 3);
    assert_ptr_equal(publish->payload.data, buf.data + 24);
    assert_int_equal(publish->payload.len, 7);
    assert_int_equal(publish->properties.message_expiry_interval, 10);
    assert_true(fray_slice_equal(publish->properties.content_type, FRAY_SLICE("j")));
    fray_buf_deinit(&buf);
}

static void the_maximum_packet_size_counts_the_fixed_header(void **unused)
{
    (void)unused;
    struct fray_buf buf = bytes_of("30 E5 07 0001 'a'");
    size_t need = 1000 - buf.len;
    memset(fray_buf_reserve(&buf, need), 'x', need);
    buf.len += need;
    struct sample sample = {.version = V311, .sender = C};
    struct fray_mqtt_packet packet;
    enum fray_mqtt_reason reason;
    assert_int_equal(decode(&sample, fray_buf_slice(&buf), &packet, &reason), FRAY_OK);
    assert_int_equal(packet.size, 1000);
    fray_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_fixed_headers_are_refused),
        cmocka_unit_test(malformed_connects_are_refused),
        cmocka_unit_test(connects_are_accepted),
        cmocka_unit_test(the_version_to_answer_in_is_known_after_a_refusal),
        cmocka_unit_test(malformed_publishes_are_refused),
        cmocka_unit_test(publishes_are_accepted),
        cmocka_unit_test(malformed_acks_are_refused),
        cmocka_unit_test(malformed_subscribes_are_refused),
        cmocka_unit_test(malformed_server_packets_are_refused),
        cmocka_unit_test(malformed_disconnects_and_auths_are_refused),
        cmocka_unit_test(values_are_slices_of_the_callers_bytes),
        cmocka_unit_test(the_maximum_packet_size_counts_the_fixed_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
