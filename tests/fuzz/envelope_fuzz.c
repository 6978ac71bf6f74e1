/* The bytes are one message as a client sends it. What is decoded, its binary data taken out, is
 * written again as the server writes it, and must then read the same. */
#include <assert.h>
#include <stdint.h>

#include "wire/envelope.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fray_envelope_limits limits = {.depth_max = 6, .attachments_max = 3};

static void check_written(const struct fray_envelope_message *message,
                          const struct fray_envelope_binaries *binaries)
{
    struct fray_buf out = {0}, scratch = {0};
    struct fray_slice args = binaries->count ? fray_buf_slice(&binaries->args) : message->args;
    fray_envelope_encode(&out, &(struct fray_envelope_parts){
                                   .type = message->type,
                                   .args = args,
                                   .attachments = binaries->attachments,
                                   .attachments_count = binaries->count,
                                   .has_id = message->has_id,
                                   .id = message->id,
                               });
    assert(!memchr(out.data, '\n', out.len) && !memchr(out.data, '\r', out.len));
    struct fray_envelope_message again;
    struct fray_envelope_binaries taken = {0};
    enum fray_envelope_fault fault =
        fray_envelope_decode(fray_buf_slice(&out), &limits, &scratch, &again);
    assert(!fault);
    assert(fray_slice_equal(again.type, message->type));
    assert(again.has_id == message->has_id && again.id == message->id);
    assert(again.args.len == fray_json_trim(message->args).len || binaries->count);
    fault = fray_envelope_take_binaries(again.args, &limits, &taken);
    assert(!fault && taken.count == binaries->count);
    for (unsigned i = 0; i < taken.count; i++)
        assert(fray_slice_equal(taken.attachments[i], binaries->attachments[i]));
    fray_envelope_binaries_deinit(&taken);
    fray_buf_deinit(&out);
    fray_buf_deinit(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fray_envelope_message message;
    struct fray_envelope_binaries binaries = {0};
    struct fray_buf scratch = {0}, error = {0};
    enum fray_envelope_fault fault =
        fray_envelope_decode(fray_slice(data, size), &limits, &scratch, &message);
    if (!fault)
        fault = fray_envelope_take_binaries(message.args, &limits, &binaries);
    if (!fault) {
        check_written(&message, &binaries);
    } else {
        fray_envelope_encode_error(
            &error, &(struct fray_envelope_error){.code = fray_envelope_fault_code(fault),
                                                  .message = fray_envelope_fault_text(fault),
                                                  .type = message.type,
                                                  .has_id = message.has_id,
                                                  .id = message.id});
        enum fray_err err = fray_json_validate(fray_buf_slice(&error), 2);
        assert(!err);
    }
    fray_envelope_binaries_deinit(&binaries);
    fray_buf_deinit(&scratch);
    fray_buf_deinit(&error);
    return 0;
}
