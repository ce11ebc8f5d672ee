/* BGZF: block after block to memory, by the functions of libdeflate that the caller found. */
typedef int (*Decompress)(void *state, const void *from, size_t size, void *to, size_t length, size_t *written);
typedef u32 (*Crc32)(u32 crc, const void *bytes, size_t length);

typedef struct {
    i64 capacity, blocks, consumed, written;
    i64 *from, *to; /* where each block lies in what was compressed, and in what was written */
    void *state;
    Decompress decompress;
    Crc32 crc32;
} Inflation;

/* Of a BGZF block (SAM specification, section 4.1): its head, and CRC32 and length behind what is compressed. */
enum { BLOCK_HEAD = 18, BLOCK_TAIL = 8, MOST_OF_BLOCK = 1 << 16 };

i64 tessera_inflation_layout(void) { return sizeof(Inflation); }

/* Inflate the whole blocks of data[0, length) until `enough` bytes are there, or the next might not fit into `room`.
 * Blocks of nothing are passed over. Returns 0 when one is damaged; nothing is written beyond `room`. */
int tessera_inflate(const u8 *data, i64 length, u8 *target, i64 room, i64 enough, Inflation *s) {
    s->blocks = s->consumed = s->written = 0;
    while (length - s->consumed >= BLOCK_HEAD && s->written < enough && s->blocks < s->capacity) {
        const u8 *p = data + s->consumed;
        if (memcmp(p, "\x1f\x8b\x08\x04", 4) || p[12] != 'B' || p[13] != 'C') return 0;
        i64 begin = 12 + load_u16(p + 10), size = load_u16(p + 16) + 1;
        if (size > length - s->consumed) return 1;
        if (begin > size - BLOCK_TAIL) return 0;
        u32 crc = load_u32(p + size - 8), holds = load_u32(p + size - 4);
        if (holds > MOST_OF_BLOCK || (crc && !holds)) return 0;
        if (holds > room - s->written) return 1;
        if (holds) {
            u8 *to = target + s->written;
            /* without a place for the length it must be just that */
            if (s->decompress(s->state, p + begin, (size_t)(size - BLOCK_TAIL - begin), to, holds, NULL)) return 0;
            if (s->crc32(0, to, holds) != crc) return 0;
            s->from[s->blocks] = s->consumed;
            s->to[s->blocks++] = s->written;
            s->written += holds;
        }
        s->consumed += size;
    }
    return 1;
}
