/* One person's gVCF: its plain reference blocks in few instructions, and the text of all other lines.
 *
 * Most lines of a gVCF say that the person is 0/0 (or nothing) over some bases. Such a line is taken apart here when it
 * has the usual shape; whatever is unlike is copied, line by line, for the reader of cohort files, which knows every
 * shape and refuses what is wrong. Nothing is read outside the buffer.
 */
enum { NOT_ASKED = INT32_MAX };
/* what a line is: for the readers of cohort files, or a block whose genotype is 0/0, 0, or missing */
enum { OTHER, DIPLOID, HAPLOID, NO_CALL };
/* FORMAT fields that the header declares */
enum { GQ = 1, DP = 2, MIN_DP = 4, AD = 8 };

typedef struct {
    i64 capacity, other_capacity, lines, others, consumed, other_length;
    i64 *line, *other_line; /* offsets: of each line in the buffer, of each other line in `other` */
    i64 *end;               /* of a block: its last base; `end` and `pos` of other lines are the caller's */
    i32 *pos, *gq, *depth;  /* depth: MIN_DP, or DP in a line without it */
    u8 *kind, *passes, *ref;
    u8 *other;              /* the text of the other lines */
} Blocks;

typedef struct {
    const u8 *text;
    i64 length;
    int fields, gq, dp, min_dp; /* which subfield each is, -1 where it is not */
} Format;

/* Eight bytes, the first in the lowest; where bytes of them are set, the first that is. */
static inline u64 eight_at(const u8 *p) { u64 bytes; memcpy(&bytes, p, 8); return bytes; }
static inline int first_set(u64 bytes) { return bytes ? __builtin_ctzll(bytes) >> 3 : 8; }
static const u64 ONES = 0x0101010101010101, HIGHS = 0x8080808080808080;

/* A whole number at *p, which moves behind it; -1 when there is none or it is longer than nine digits. The first eight
 * digits are taken together: by neighbours to numbers of two, of four and of eight digits. */
static inline i64 number_at(const u8 **p) {
    u64 digits = eight_at(*p) ^ ('0' * ONES);
    int n = first_set(((digits + 0x76 * ONES) | digits) & HIGHS);
    if (!n) return -1;
    digits <<= 64 - 8 * n;
    digits = (digits * (1 + (10 << 8))) >> 8 & 0x00ff00ff00ff00ff;
    digits = (digits * (1 + (100 << 16))) >> 16 & 0x0000ffff0000ffff;
    i64 value = (i64)((digits * (1 + ((u64)10000 << 32))) >> 32);
    *p += n;
    if (n == 8 && is_digit(**p)) {
        value = 10 * value + (*(*p)++ - '0');
        if (is_digit(**p)) return -1;
    }
    return value;
}

/* Behind a subfield: at the next `:`, or at the control character before. */
static inline const u8 *behind_subfield(const u8 *p) {
    for (;; p += 8) {
        u64 bytes = eight_at(p), colons = bytes ^ (':' * ONES);
        u64 ends = ((bytes - 0x20 * ONES) & ~bytes) | ((colons - ONES) & ~colons);
        if (ends & HIGHS) return p + first_set(ends & HIGHS);
    }
}

/* A number or `.` in a subfield at *p; -2 when it is neither. */
static inline i32 block_value_at(const u8 **p) {
    if (**p == '.') { ++*p; return NO_VALUE; }
    i64 value = number_at(p);
    return value < 0 ? -2 : (i32)value;
}

/* The FORMAT at `text`, up to a tab; 0 when it is none that the kernel reads, or names a field that is not declared. */
static int read_format(const u8 *text, const u8 *stop, int declared, Format *f) {
    Layout l;
    const u8 *tab = memchr(text, '\t', stop - text);
    *f = (Format){0};
    if (!tab || !(f->fields = layout_of(text, tab, &l))) return 0;
    int named = (l.gq >= 0) * GQ | (l.dp >= 0) * DP | (l.min_dp >= 0) * MIN_DP | (l.ad >= 0) * AD;
    if (named & ~declared) return 0;
    *f = (Format){text, tab - text, f->fields, l.gq, l.dp, l.min_dp};
    return 1;
}

static inline int block_genotype_at(const u8 **p) {
    const u8 *q = *p;
    int missing = *q == '.', kind = missing ? NO_CALL : HAPLOID;
    if (!missing && *q != '0') return OTHER;
    q++;
    if (*q == '/' || *q == '|') {
        if (q[1] != (missing ? '.' : '0')) return OTHER;
        kind = missing ? NO_CALL : DIPLOID;
        q += 2;
    }
    *p = q;
    return kind;
}

/* The line at p, which ends at `stop` (a newline), as a plain block; OTHER when it is none. `p` is behind its contig. */
static int read_block(const u8 *p, const u8 *stop, int declared, Format *f, Blocks *b, i64 r) {
    i64 pos = number_at(&p), end = pos;
    if (pos < 1 || p[0] != '\t' || p[1] != '.' || p[2] != '\t') return OTHER;
    p += 3;
    u8 ref = *p & 0xdf;
    if ((ref != 'A' && ref != 'C' && ref != 'G' && ref != 'T' && ref != 'N') || p[1] != '\t') return OTHER;
    p += 2;
    if (stop - p < 12) return OTHER; /* the shortest columns that can follow */
    if (!memcmp(p, "<NON_REF>\t", 10)) p += 10;
    else if (!memcmp(p, "<*>\t", 4)) p += 4;
    else if (!memcmp(p, ".\t", 2)) p += 2;
    else return OTHER;
    u8 passes = 1;
    const u8 *column = p;
    if (!memcmp(p, ".\t.\t", 4)) p += 3; /* neither QUAL nor FILTER, as most callers write */
    else {
        while (is_digit(*p) || *p == '.' || *p == 'e' || *p == '+' || *p == '-') p++;
        if (p == column || *p != '\t') return OTHER;
        column = ++p;
        while (*p > ' ') {
            if (*p == 'P' && stop - p > 4 && !memcmp(p, "PASS", 4) && (p != column || p[4] != '\t')) return OTHER;
            p++;
        }
        i64 length = p - column;
        if (length < 1 || *p != '\t' || (length == 1 && *column == '0')) return OTHER;
        passes = (length == 1 && *column == '.') || (length == 4 && !memcmp(column, "PASS", 4));
    }
    column = ++p;
    for (int told = 0; *p != '\t';) {
        if (stop - p > 4 && !memcmp(p, "END=", 4)) {
            p += 4;
            i64 found = number_at(&p);
            if (found < pos || told || (*p != ';' && *p != '\t')) return OTHER;
            end = found;
            told = 1;
        } else
            while (*p != ';' && *p != '\t' && *p != '\n') p++;
        if (*p == '\n') return OTHER;
        if (*p == ';') p++;
    }
    if (p == column) return OTHER;
    p++;
    if (f->length && stop - p > f->length && p[f->length] == '\t' && !memcmp(p, f->text, f->length)) f->text = p;
    else if (!read_format(p, stop, declared, f)) { f->length = 0; return OTHER; }
    p += f->length + 1;
    int kind = block_genotype_at(&p), field = 0;
    i32 gq = f->gq < 0 ? NOT_ASKED : NO_VALUE, dp = NO_VALUE, min_dp = NO_VALUE;
    if (kind == OTHER) return OTHER;
    while (*p == ':') {
        p++;
        if (++field >= f->fields) return OTHER;
        if (field == f->gq) { if ((gq = block_value_at(&p)) < NO_VALUE) return OTHER; }
        else if (field == f->dp) { if ((dp = block_value_at(&p)) < NO_VALUE) return OTHER; }
        else if (field == f->min_dp) { if ((min_dp = block_value_at(&p)) < NO_VALUE) return OTHER; }
        else p = behind_subfield(p);
    }
    if (*p == '\r') p++;
    if (p != stop) return OTHER;
    b->pos[r] = (i32)pos; b->end[r] = end; b->gq[r] = gq; b->depth[r] = f->min_dp < 0 ? dp : min_dp;
    b->passes[r] = passes; b->ref[r] = ref;
    return kind;
}

/* Take apart whole lines of buffer[0, length) that begin with `contig`; `consumed` says where it stopped: at another
 * contig, at an incomplete line, or when the arrays are full. `other` holds as many bytes as the buffer. */
void tessera_scan_blocks(const u8 *buffer, i64 length, const u8 *contig, i64 contig_length, i32 declared, Blocks *b) {
    const u8 *p = buffer, *stop = buffer + length;
    Format format = {0};
    b->lines = b->others = b->other_length = 0;
    while (p < stop && b->lines < b->capacity && b->others < b->other_capacity) {
        const u8 *line_end = memchr(p, '\n', stop - p);
        if (!line_end || line_end - p <= contig_length || memcmp(p, contig, contig_length) || p[contig_length] != '\t')
            break;
        i64 r = b->lines++;
        b->line[r] = p - buffer;
        b->kind[r] = (u8)read_block(p + contig_length + 1, line_end, declared, &format, b, r);
        if (b->kind[r] == OTHER) {
            i64 size = line_end + 1 - p;
            memcpy(b->other + b->other_length, p, size);
            b->other_line[b->others++] = b->other_length;
            b->other_length += size;
        }
        p = line_end + 1;
    }
    b->consumed = p - buffer;
}

typedef struct {
    i64 start, end;         /* bases to speak of */
    i64 regions;
    const i64 *borders;     /* (regions,) where each ends */
    const u8 *copies;       /* (regions,) what is expected of the person */
    i32 min_gq;             /* NO_VALUE: not asked */
    i32 asks_depth, min_dp, min_dp_haploid;
} BlockRules;

typedef struct {
    i64 *start, *end, *since;
    u8 *copies;             /* called: as how many alleles; 0: not called */
    i64 runs;
} BlockRuns;

static inline int called_as(const Blocks *b, i64 r, const BlockRules *a, int copies) {
    int kind = b->kind[r];
    if (!copies || !b->passes[r] || kind == NO_CALL || (kind == HAPLOID && copies == 2)) return 0;
    if (a->min_gq != NO_VALUE && b->gq[r] < a->min_gq) return 0;
    if (a->asks_depth && (b->depth[r] == NO_VALUE || b->depth[r] < (copies == 1 ? a->min_dp_haploid : a->min_dp)))
        return 0;
    return copies;
}

/* The blocks as runs of equal calls; lines with `left_out` are passed over. Returns where the records so far end, given
 * where those before ended.
 *
 * Blocks are joined where one begins at the end of the other and none can decide between them: a block that begins
 * before an earlier record ends stays alone, and so does the last that began before it, as precedence and ties are by
 * where a record starts. The last block stays alone as well: the next batch may begin within it. */
i64 tessera_join_blocks(const Blocks *b, const u8 *left_out, const BlockRules *a, i64 ended, BlockRuns *out) {
    i64 n = 0, region = 0, open = 0, last_start = 0, open_region = 0; /* open: blocks in the run n - 1 */
#define SPLIT()                                                                                                       \
    if (open > 1) {                                                                                                    \
        out->start[n] = out->since[n] = last_start; out->end[n] = out->end[n - 1]; out->copies[n] = out->copies[n - 1]; \
        out->end[n - 1] = last_start;                                                                                  \
        n++;                                                                                                           \
    }                                                                                                                  \
    open = 0;
    for (i64 r = 0; r < b->lines; r++) {
        i64 start = b->pos[r] - 1, end = b->end[r];
        int alone = start < ended;
        if (alone && open && start < out->end[n - 1]) { SPLIT() }
        if (end > ended) ended = end;
        if (b->kind[r] == OTHER || left_out[r] || start >= a->end || end <= a->start) continue;
        while (region && start < a->borders[region - 1]) region--;
        while (start >= a->borders[region]) region++;
        if (end <= a->borders[region] && start >= a->start) {
            u8 copies = (u8)called_as(b, r, a, a->copies[region]);
            if (open && !alone && out->end[n - 1] == start && out->copies[n - 1] == copies && open_region == region) {
                out->end[n - 1] = end;
                last_start = start;
                open++;
                continue;
            }
            out->start[n] = out->since[n] = last_start = start; out->end[n] = end; out->copies[n] = copies;
            n++;
            open = !alone;
            open_region = region;
            continue;
        }
        for (i64 part = region; part < a->regions && (part == 0 || a->borders[part - 1] < end); part++) {
            i64 left = part && a->borders[part - 1] > start ? a->borders[part - 1] : start;
            i64 right = end < a->borders[part] ? end : a->borders[part];
            if (left < a->start) left = a->start;
            if (left >= right) continue;
            out->start[n] = left; out->end[n] = right; out->since[n] = start;
            out->copies[n] = (u8)called_as(b, r, a, a->copies[part]);
            n++;
        }
        open = 0;
    }
    SPLIT()
#undef SPLIT
    out->runs = n;
    return ended;
}

typedef struct {
    i64 start, end;         /* bases to speak of */
    i64 once, twice;        /* bases before them lie under a record, and under several, as far as records have come */
    i64 none, several;      /* how many lie under no record, and under several */
} OverlapState;

/* What the caller's structures must measure, or it was made for another library. */
i64 tessera_blocks_layout(void) {
    return sizeof(Blocks) + 1000 * (sizeof(BlockRules) + 1000 * (sizeof(BlockRuns) + 1000 * (i64)sizeof(OverlapState)));
}

static inline i64 within(i64 base, const OverlapState *s) {
    return base < s->start ? s->start : base > s->end ? s->end : base;
}

/* Records sorted by POS: `pos` (records,) is 1-based, `end` the last base. */
void tessera_overlaps(const i64 *pos, const i64 *end, i64 records, OverlapState *s) {
    for (i64 r = 0; r < records; r++) {
        i64 from = within(pos[r] - 1, s), to = within(end[r], s), again = to < s->once ? to : s->once;
        if (from > s->once) s->none += from - s->once;
        if (s->twice > from) from = s->twice;
        if (again > from) s->several += again - from;
        if (again > s->twice) s->twice = again;
        if (to > s->once) s->once = to;
    }
}
