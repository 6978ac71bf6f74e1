/* Any bytes as a polling body: what was read before an error, written again, reads the same. */
#include <assert.h>
#include <stdint.h>

#include "wire/engineio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PACKETS_MAX = 16 };

static void check_rewritten(struct fray_slice body, struct fray_slice again)
{
    struct fray_engineio_payload first = fray_engineio_payload_open(body, PACKETS_MAX);
    struct fray_engineio_payload second = fray_engineio_payload_open(again, PACKETS_MAX);
    struct fray_buf scratches[2] = {{0}, {0}};
    struct fray_engineio_packet packets[2];
    while (!fray_engineio_payload_next(&first, &scratches[0], &packets[0])) {
        assert(!fray_engineio_payload_next(&second, &scratches[1], &packets[1]));
        assert(packets[0].type == packets[1].type && packets[0].binary == packets[1].binary);
        assert(fray_slice_equal(packets[0].data, packets[1].data));
    }
    assert(fray_engineio_payload_next(&second, &scratches[1], &packets[1]) == FRAY_ERR_NOT_FOUND);
    fray_buf_deinit(&scratches[0]);
    fray_buf_deinit(&scratches[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fray_slice body = fray_slice(data, size);
    struct fray_engineio_payload payload = fray_engineio_payload_open(body, PACKETS_MAX);
    struct fray_buf scratch = {0};
    struct fray_buf again = {0};
    struct fray_engineio_packet packet;
    unsigned count = 0;
    while (!fray_engineio_payload_next(&payload, &scratch, &packet)) {
        assert(packet.type == FRAY_ENGINEIO_MESSAGE || !packet.binary);
        fray_engineio_payload_append(&again, 0, &packet);
        count++;
    }
    if (count)
        check_rewritten(body, fray_buf_slice(&again));
    (void)fray_engineio_decode_text(body, &scratch, &packet);
    fray_buf_deinit(&again);
    fray_buf_deinit(&scratch);
    return 0;
}
