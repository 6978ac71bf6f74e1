/* Any message as the bytes of an Engine.IO session: once per message and framing, for however many
 * sessions.
 *
 *   websocket    [frame header]4<text>  [frame header]<attachment 0> …
 *   polling      4<text> 1e b<base64 of attachment 0> …          (packets of one body; separators
 * between) */
#include <inttypes.h>
#include <stdio.h>

#include "protocol/engineio.h"
#include "wire/socketio.h"
#include "wire/websocket_frame.h"

/* The Socket.IO packet of an event or an ack, as text. */
static void append_socketio(struct fray_buf *text, const struct fray_message *message)
{
    struct fray_slice nsp = fray_slice_of(message->nsp);
    if (message->kind == FRAY_MESSAGE_ACK) {
        fray_socketio_encode_ack(text, nsp, (uint64_t)message->ack_id, message->body,
                                 message->attachments_count);
        return;
    }
    char offset[24];
    int offset_len =
        message->offset ? snprintf(offset, sizeof offset, "%" PRIu64, message->offset) : 0;
    fray_socketio_encode_event(text, &(struct fray_socketio_event){
                                         .namespace_name = nsp,
                                         .name = message->name,
                                         .args = message->body,
                                         .offset = {offset, (size_t)offset_len},
                                         .attachments = message->attachments_count,
                                         .has_ack_id = message->ack_id != FRAY_ACK_NONE,
                                         .ack_id = (uint64_t)message->ack_id,
                                     });
}

static void append_binary(struct fray_buf *out, struct fray_slice data, enum fray_framing framing)
{
    if (framing == FRAY_FRAMING_WEBSOCKET)
        fray_websocket_frame_append(out, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_BINARY, data, NULL);
    else
        fray_engineio_payload_append(
            out, 0, &(struct fray_engineio_packet){FRAY_ENGINEIO_MESSAGE, true, data});
}

static void append_text(struct fray_buf *out, struct fray_slice packet, enum fray_framing framing)
{
    if (framing == FRAY_FRAMING_WEBSOCKET)
        fray_websocket_frame_append(out, FRAY_WEBSOCKET_FIN | FRAY_WEBSOCKET_TEXT, packet, NULL);
    else
        fray_buf_append_slice(out, packet);
}

const struct fray_encoding *fray_engineio_encode_message(struct fray_worker *worker,
                                                         struct fray_message *message,
                                                         enum fray_framing framing)
{
    enum fray_form form = framing == FRAY_FRAMING_WEBSOCKET ? FRAY_FORM_ENGINEIO_WEBSOCKET
                                                            : FRAY_FORM_ENGINEIO_POLLING;
    const struct fray_encoding *known = fray_message_encoding(message, form);
    if (known)
        return known;
    struct fray_buf *out = &worker->scratch, *packet = &worker->packet;
    out->len = packet->len = 0;
    if (message->kind == FRAY_MESSAGE_BARE_BINARY) {
        append_binary(out, message->body, framing);
    } else {
        if (message->kind != FRAY_MESSAGE_PACKET)
            fray_buf_append_byte(packet, '4');
        if (message->kind == FRAY_MESSAGE_EVENT || message->kind == FRAY_MESSAGE_ACK)
            append_socketio(packet, message);
        else
            fray_buf_append_slice(packet, message->body);
        append_text(out, fray_buf_slice(packet), framing);
    }
    for (size_t i = 0; i < message->attachments_count; i++)
        append_binary(out, fray_slice(message->attachments[i].data, message->attachments[i].len),
                      framing);
    return fray_message_encode(message, form, fray_buf_slice(out));
}
