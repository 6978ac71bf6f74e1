/* The bytes are a run of messages, each ended by 0x1e: a message that begins with 0x01 is binary,
 * any other text. Each text is decoded, and a good event written again must read the same; all of
 * them then pass through one assembler as a session would pass them. */
#include <assert.h>
#include <stdint.h>

#include "wire/json.h"
#include "wire/socketio_assembler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fray_socketio_limits limits = {
    .attachments_max = 3, .depth_max = 6, .bytes_max = 4096};

static void check_payload(const struct fray_socketio_packet *packet)
{
    if (packet->data.len)
        assert(fray_json_validate(packet->data, limits.depth_max) == FRAY_OK);
    if (packet->event_json.len)
        assert(fray_json_validate(packet->event_json, 0) == FRAY_OK);
    assert(packet->namespace_name.len > 0 && packet->namespace_name.data[0] == '/');
    assert(packet->attachments <= limits.attachments_max);
    assert(!packet->has_ack_id || packet->ack_id <= FRAY_SOCKETIO_ACK_ID_MAX);

    struct fray_slice json = packet->args;
    struct fray_socketio_placeholder placeholder;
    size_t seen = 0;
    if (packet->type != FRAY_SOCKETIO_BINARY_EVENT && packet->type != FRAY_SOCKETIO_BINARY_ACK)
        return;
    enum fray_err err;
    while (!(err = fray_socketio_placeholder_next(&json, packet->attachments, &placeholder))) {
        assert(placeholder.num < packet->attachments);
        seen += placeholder.before.len;
    }
    assert(err == FRAY_ERR_NOT_FOUND && seen + json.len <= packet->args.len);
}

static void check_rewritten(const struct fray_socketio_packet *packet)
{
    struct fray_buf buf = {0};
    if (packet->event_json.len) {
        struct fray_socketio_event event = {
            .namespace_name = packet->namespace_name,
            .name_json = packet->event_json,
            .args = packet->args,
            .attachments = packet->attachments,
            .has_ack_id = packet->has_ack_id,
            .ack_id = packet->ack_id,
        };
        fray_socketio_encode_event(&buf, &event);
    } else if (packet->type == FRAY_SOCKETIO_ACK || packet->type == FRAY_SOCKETIO_BINARY_ACK) {
        fray_socketio_encode_ack(&buf, packet->namespace_name, packet->ack_id, packet->args,
                                 packet->attachments);
    } else {
        return;
    }
    struct fray_socketio_packet again;
    assert(fray_socketio_decode(fray_buf_slice(&buf), &limits, &again) == FRAY_OK);
    assert(again.attachments == packet->attachments && again.ack_id == packet->ack_id);
    assert(fray_slice_equal(again.namespace_name, packet->namespace_name));
    assert(fray_slice_equal(again.event_json, packet->event_json));
    assert(fray_slice_equal(again.args, packet->args));
    fray_buf_deinit(&buf);
}

static void receive(struct fray_socketio_assembler *assembler, struct fray_slice message)
{
    struct fray_socketio_packet packet;
    const struct fray_slice *attachments;
    if (message.len == 0 || message.data[0] != 1) {
        if (!fray_socketio_decode(message, &limits, &packet)) {
            check_payload(&packet);
            check_rewritten(&packet);
        }
        if (!fray_socketio_assembler_text(assembler, message, &limits, &packet))
            check_payload(&packet);
    } else if (!fray_socketio_assembler_binary(assembler, message, &packet, &attachments)) {
        check_payload(&packet);
        for (unsigned i = 0; i < packet.attachments; i++)
            assert(attachments[i].len > 0 && attachments[i].data[0] == 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fray_socketio_assembler assembler = {0};
    struct fray_slice rest = fray_slice(data, size);
    for (;;) {
        const char *end = rest.len ? memchr(rest.data, 0x1e, rest.len) : NULL;
        struct fray_slice message = {rest.data, end ? (size_t)(end - rest.data) : rest.len};
        receive(&assembler, message);
        if (!end)
            break;
        rest = fray_slice_skip(rest, message.len + 1);
    }
    fray_socketio_assembler_reset(&assembler);
    return 0;
}
