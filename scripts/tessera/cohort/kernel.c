/* The counting kernel: records of an inflated VCF or BCF, to counts by leaf stratum.
 *
 * Two passes over a buffer of whole records. The scan finds the records and their fixed columns. The caller
 * decides from these what each ALT is (a variant to count, or none), and the count judges every person by the
 * rules of docs/counting.md. A record that the kernel does not understand is left uncounted and marked: the caller
 * reads it again, slowly, and either counts or refuses it. Nothing is written outside the arrays that are handed in,
 * and nothing is read outside the buffer, which must be followed by PADDING readable bytes.
 */
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

typedef uint8_t u8;
typedef int32_t i32;
typedef int64_t i64;
typedef uint32_t u32;
typedef uint64_t u64;

enum { MISSING = -1, ABSENT = -2, NO_VALUE = -1 };
enum { BINS = 21, ALT_METRICS = 3, ALL_METRICS = 2, METRICS = ALT_METRICS + ALL_METRICS };
enum { GQ_ALT, DP_ALT, SHARE_ALT, GQ_ALL, DP_ALL };
/* reasons, as cohort/genotypes.py numbers them */
enum {
    CALLED, NO_COPY_HERE, FILTER, MISSING_CALL, HALF_CALL, NON_REF_CALL, HAPLOID_CALL_OF_DIPLOID,
    HET_CALL_OF_HAPLOID, LOW_GQ, LOW_DP, LOW_ALLELE_BALANCE, REASONS
};
/* what an ALT is to the count */
enum { NOT_COUNTED, COUNTED, NON_REF_ALLELE };
/* columns of a person's tallies, as schemas/sample_counts.py names them: one per class and zygosity, then sums */
enum { CLASSES = 5, ZYGOSITIES = 3, N_ASKED = CLASSES * ZYGOSITIES, N_CALLED, N_GQ, SUM_GQ, N_DP, SUM_DP, TALLIES };
enum { MAX_ALLELE = 120, NOT_UNDERSTOOD = 1 };

typedef struct {
    i64 capacity, allele_capacity;
    i64 records, alleles, consumed;
    i64 *line, *line_end, *body, *ref, *format; /* offsets into the buffer; body is the first sample's column */
    i32 *pos, *ref_length, *first_allele, *passes, *status;
    i64 *end, *alt;
    i32 *alt_length;
} Scan;

typedef struct {
    i32 people, strata, mitochondrial;
    i32 min_gq, min_ab; /* NO_VALUE: not asked; min_ab in thousandths */
    i32 asks_depth, everybody_diploid, some_left_out;
    const i32 *stratum;    /* (people,) or -1 for those who are not counted */
    const u8 *copies;      /* (people,) */
    const i32 *min_dp;     /* (people,) by their copies */
    const i64 *sizes;      /* (strata, 3) people with 0, 1, 2 copies */
    i32 gq_key, dp_key, min_dp_key, ad_key, gt_key; /* declared: the number in a BCF's dictionary; else NO_VALUE */
    /* scratch, (people,) each */
    i32 *gq, *dp, *min_depth, *odd, *first, *second;
    i64 *ad;               /* where the person's AD lies */
    u8 *ok;
    u64 *marks;            /* two bitmaps of a line */
    i64 marks_capacity;
} Rules;

typedef struct {
    i32 *n_dip, *n_hap;            /* (records, strata) */
    u8 *called;                    /* (records, (people + 7) / 8) */
    i32 *n_het, *n_homalt, *n_hemi; /* (alleles, strata) */
    i32 *carriers;                 /* (alleles, REASONS) */
    i64 *histograms;               /* (strata, METRICS, BINS) */
    i64 *tallies;                  /* (people, TALLIES) */
} Counts;

static int has_avx2(void) {
#if defined(__x86_64__)
    /* cpuid itself: __builtin_cpu_supports answers 0 in a library that zig links */
    static int known = -1;
    if (known < 0) {
        u32 a, b, c, d;
        known = __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 27)) && __get_cpuid_count(7, 0, &a, &b, &c, &d)
                && (b & (1u << 5));
        if (known) {
            u32 low, high;
            __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
            known = (low & 6) == 6;
        }
    }
    return known;
#else
    return 0;
#endif
}

/* What the caller's structures must measure, or it was made for another kernel. */
i64 tessera_layout(void) { return sizeof(Scan) + 1000 * sizeof(Rules) + 1000000 * sizeof(Counts); }

static int portable_only = 0;

/* Choose the code path: 1 for AVX2 where the machine has it, 0 for the portable one. Returns what will run. */
int tessera_use_avx2(int wanted) {
    portable_only = !wanted;
    return wanted && has_avx2();
}

/* ---------------------------------------------------------------- text: the scan */

static inline int is_base(u8 c) {
    switch (c | 32) {
    case 'a': case 'c': case 'g': case 't': case 'n': return 1;
    default: return 0;
    }
}

static inline int is_digit(u8 c) { return (u8)(c - '0') < 10; }

/* Digits up to `stop`; -1 when there are none, others, or too many. */
static i64 number(const u8 *p, const u8 *stop) {
    i64 value = 0;
    if (p == stop || stop - p > 10) return -1;
    for (; p < stop; p++) {
        if (!is_digit(*p)) return -1;
        value = 10 * value + (*p - '0');
    }
    return value;
}

/* INFO/END, or 0 */
static i64 info_end(const u8 *p, const u8 *stop, int *odd) {
    i64 found = 0;
    while (p < stop) {
        const u8 *next = memchr(p, ';', stop - p);
        const u8 *here_end = next ? next : stop;
        if (here_end - p > 4 && memcmp(p, "END=", 4) == 0) {
            i64 told = number(p + 4, here_end);
            if (told < 0 || found) *odd = 1;
            found = told < 0 ? 0 : told;
        }
        if (!next) break;
        p = next + 1;
    }
    return found;
}

static int only_non_ref(const u8 *alt, i64 length) {
    return (length == 1 && *alt == '.') || (length == 3 && memcmp(alt, "<*>", 3) == 0)
           || (length == 9 && memcmp(alt, "<NON_REF>", 9) == 0);
}

/* Find the records of `contig` in whole lines of buffer[0, length). Stops before a line of another contig, when the
 * arrays are full, or at an incomplete line; `consumed` says where. A line that breaks a rule has a status. */
void tessera_scan_text(const u8 *buffer, i64 length, const u8 *contig, i64 contig_length, Scan *s) {
    const u8 *p = buffer, *stop = buffer + length;
    s->records = s->alleles = 0;
    while (p < stop && s->records < s->capacity) {
        const u8 *line_end = memchr(p, '\n', stop - p);
        if (!line_end) break;
        const u8 *end = line_end > p && line_end[-1] == '\r' ? line_end - 1 : line_end;
        if (end - p <= contig_length || memcmp(p, contig, contig_length) != 0 || p[contig_length] != '\t') break;
        const u8 *column[10];
        int columns = 0, odd = 0;
        const u8 *q = p;
        column[columns++] = q;
        while (columns < 10) {
            q = memchr(q, '\t', end - q);
            if (!q) break;
            column[columns++] = ++q;
        }
        i64 r = s->records, a = s->alleles;
        if (columns < 10) {
            if (a + 1 > s->allele_capacity) break;
            s->line[r] = p - buffer; s->line_end[r] = end - buffer;
            s->pos[r] = 0; s->end[r] = 0; s->ref[r] = s->body[r] = s->format[r] = p - buffer; s->ref_length[r] = 0;
            s->first_allele[r] = (i32)a; s->passes[r] = 0; s->status[r] = NOT_UNDERSTOOD;
            s->records++;
            p = line_end + 1;
            continue;
        }
        i64 pos = number(column[1], column[2] - 1);
        if (pos < 1 || pos > INT32_MAX) odd = 1, pos = 0;
        i64 ref_length = column[4] - 1 - column[3];
        for (i64 i = 0; i < ref_length; i++) odd |= !is_base(column[3][i]);
        odd |= ref_length < 1;
        const u8 *alts = column[4], *alts_end = column[5] - 1;
        int reference = 1;
        if (!(alts_end - alts == 1 && *alts == '.')) {
            const u8 *alt = alts;
            for (;;) {
                const u8 *comma = memchr(alt, ',', alts_end - alt);
                const u8 *alt_end = comma ? comma : alts_end;
                if (a >= s->allele_capacity) goto full;
                s->alt[a] = alt - buffer;
                s->alt_length[a] = (i32)(alt_end - alt);
                a++;
                if (alt_end == alt) odd = 1;
                if (only_non_ref(alt, alt_end - alt)) odd |= *alt == '.';
                else {
                    reference = 0;
                    if (*alt != '*' && *alt != '<')
                        for (const u8 *b = alt; b < alt_end; b++) odd |= !is_base(*b);
                    else odd |= *alt == '*' ? alt_end - alt != 1 : alt_end[-1] != '>';
                }
                if (!comma) break;
                alt = comma + 1;
            }
        }
        i64 end_pos = pos - 1 + ref_length;
        if (reference) {
            i64 told = info_end(column[7], column[8] - 1, &odd);
            odd |= told && told < pos;
            if (told > end_pos) end_pos = told;
        }
        for (const u8 *b = column[5]; b < column[6] - 1; b++)
            odd |= !is_digit(*b) && *b != '.' && *b != 'e' && *b != '+' && *b != '-';
        odd |= column[6] - 1 == column[5];
        i64 filter_length = column[7] - 1 - column[6];
        s->passes[r] = (filter_length == 1 && *column[6] == '.') || (filter_length == 4 && !memcmp(column[6], "PASS", 4));
        odd |= filter_length < 1;
        /* a list with PASS in it, blanks, and whatever else is no filter is for the caller to say */
        if (!s->passes[r])
            for (const u8 *b = column[6]; b < column[7] - 1; b++) odd |= *b <= ' ' || (*b == 'P' && !memcmp(b, "PASS", 4)) || (*b == '0' && filter_length == 1);
        s->line[r] = p - buffer; s->line_end[r] = end - buffer;
        s->pos[r] = (i32)pos; s->end[r] = end_pos;
        s->ref[r] = column[3] - buffer; s->ref_length[r] = (i32)ref_length;
        s->first_allele[r] = (i32)s->alleles;
        s->format[r] = column[8] - buffer; s->body[r] = column[9] - buffer;
        s->status[r] = odd ? NOT_UNDERSTOOD : 0;
        s->alleles = a;
        s->records++;
        p = line_end + 1;
    }
full:
    s->first_allele[s->records] = (i32)s->alleles;
    s->consumed = p - buffer;
}

/* ---------------------------------------------------------------- text: the people of a line */

typedef struct { int gq, dp, min_dp, ad, last; } Layout; /* which subfield each is, -1 where it is not */

static int layout_of(const u8 *format, const u8 *stop, Layout *layout) {
    *layout = (Layout){-1, -1, -1, -1, 0};
    if (stop - format < 2 || format[0] != 'G' || format[1] != 'T' || (stop - format > 2 && format[2] != ':')) return 0;
    int index = 0;
    for (const u8 *p = format; p <= stop;) {
        const u8 *colon = memchr(p, ':', stop - p);
        const u8 *end = colon ? colon : stop;
        i64 length = end - p;
        int *field = NULL;
        if (length == 2 && p[0] == 'G' && p[1] == 'Q') field = &layout->gq;
        else if (length == 2 && p[0] == 'D' && p[1] == 'P') field = &layout->dp;
        else if (length == 2 && p[0] == 'A' && p[1] == 'D') field = &layout->ad;
        else if (length == 6 && memcmp(p, "MIN_DP", 6) == 0) field = &layout->min_dp;
        else if (length == 0 || (index && length == 2 && p[0] == 'G' && p[1] == 'T')) return 0;
        if (field) {
            if (*field >= 0) return 0;
            *field = index;
            layout->last = index;
        }
        index++;
        if (!colon) break;
        p = colon + 1;
    }
    return index;
}

/* One allele number or `.` at *p, which moves behind it; -3 when it is neither. */
static inline i32 allele_at(const u8 **p) {
    const u8 *q = *p;
    if (*q == '.') { *p = q + 1; return MISSING; }
    if (!is_digit(*q)) return -3;
    i32 value = *q++ - '0';
    while (is_digit(*q) && value <= MAX_ALLELE) value = 10 * value + (*q++ - '0');
    *p = q;
    return value;
}

/* A genotype at *p up to a separator; 0 when it is none that the kernel counts. */
static inline int genotype_at(const u8 **p, i32 alleles, i32 *first, i32 *second) {
    const u8 *q = *p;
    *first = allele_at(&q);
    *second = ABSENT;
    if (*q == '/' || *q == '|') { q++; *second = allele_at(&q); }
    *p = q;
    return *first >= MISSING && *second >= ABSENT && *first < alleles && *second < alleles
           && (*q == ':' || *q == '\t' || *q == '\n' || *q == '\r');
}

/* A whole number of reads or quality in [p, stop); NO_VALUE for `.`; -2 for what is neither. */
static inline i32 value_at(const u8 *p, const u8 *stop) {
    if (stop - p == 1 && *p == '.') return NO_VALUE;
    if (p == stop || stop - p > 9) return -2;
    i32 value = 0;
    for (; p < stop; p++) {
        if (!is_digit(*p)) return -2;
        value = 10 * value + (*p - '0');
    }
    return value;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void mark_avx2(const u8 *line, i64 words, u64 *tabs, u64 *stops) {
    const __m256i tab = _mm256_set1_epi8('\t'), colon = _mm256_set1_epi8(':'), newline = _mm256_set1_epi8('\n');
    for (i64 w = 0; w < words; w++) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(line + 64 * w));
        __m256i y = _mm256_loadu_si256((const __m256i *)(line + 64 * w + 32));
        __m256i tx = _mm256_or_si256(_mm256_cmpeq_epi8(x, tab), _mm256_cmpeq_epi8(x, newline));
        __m256i ty = _mm256_or_si256(_mm256_cmpeq_epi8(y, tab), _mm256_cmpeq_epi8(y, newline));
        u64 t = (u32)_mm256_movemask_epi8(tx) | (u64)(u32)_mm256_movemask_epi8(ty) << 32;
        u64 c = (u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, colon))
                | (u64)(u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(y, colon)) << 32;
        tabs[w] = t;
        stops[w] = t | c;
    }
}

/* From sample i on, the first whose "0|0\t" or "0/0\t" is something else, in steps of eight; bits of the eight. */
__attribute__((target("avx2"))) static i64 skip_reference_avx2(const u8 *body, i64 i, i64 n, u32 *others) {
    const __m256i piped = _mm256_set1_epi32('0' | '|' << 8 | '0' << 16 | '\t' << 24);
    const __m256i slashed = _mm256_set1_epi32('0' | '/' << 8 | '0' << 16 | '\t' << 24);
    for (; i + 8 <= n; i += 8) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(body + 4 * i));
        __m256i same = _mm256_or_si256(_mm256_cmpeq_epi32(x, piped), _mm256_cmpeq_epi32(x, slashed));
        *others = ~(u32)_mm256_movemask_ps(_mm256_castsi256_ps(same)) & 0xff;
        if (*others) return i;
    }
    *others = 0;
    return i;
}

/* The same for BCF genotypes of two 8-bit alleles; phase is not asked. */
__attribute__((target("avx2"))) static i64 skip_reference_bcf_avx2(const u8 *body, i64 i, i64 n, u32 *others) {
    const __m256i phase = _mm256_set1_epi8((char)0xfe), reference = _mm256_set1_epi8(2);
    for (; i + 16 <= n; i += 16) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(body + 2 * i));
        __m256i same = _mm256_cmpeq_epi16(_mm256_and_si256(x, phase), reference);
        u32 bits = ~(u32)_mm256_movemask_epi8(same);
        if (bits) {
            u32 packed = 0;
            for (int k = 0; k < 16; k++) packed |= (bits >> (2 * k) & 1) << k;
            *others = packed;
            return i;
        }
    }
    *others = 0;
    return i;
}
#endif

static void mark_portable(const u8 *line, i64 words, u64 *tabs, u64 *stops) {
    for (i64 w = 0; w < words; w++) {
        u64 t = 0, c = 0;
        for (int b = 0; b < 64; b++) {
            u8 x = line[64 * w + b];
            t |= (u64)(x == '\t' || x == '\n') << b;
            c |= (u64)(x == ':') << b;
        }
        tabs[w] = t;
        stops[w] = t | c;
    }
}

static inline i64 next_mark(const u64 *marks, i64 at, i64 words) {
    i64 word = at >> 6;
    if (word >= words) return 64 * words;
    u64 bits = marks[word] >> (at & 63);
    if (bits) return at + __builtin_ctzll(bits);
    while (++word < words)
        if (marks[word]) return 64 * word + __builtin_ctzll(marks[word]);
    return 64 * words;
}

/* Genotypes alone, four bytes each but the last; writes those that are not 0/0 to first, second, odd. */
static i64 read_genotypes_only(const u8 *body, const u8 *end, i32 alleles, Rules *c) {
    i64 n = c->people, found = 0, i = 0;
    if (end - body != 4 * n - 1) return -1;
    while (i < n) {
        u32 others = 0;
        int step = 1;
#if defined(__x86_64__)
        if (!portable_only && has_avx2() && i + 8 < n) {
            i = skip_reference_avx2(body, i, n - 1, &others);
            step = 8;
            if (!others) { step = 1; }
        }
#endif
        if (step == 1) {
            const u8 *q = body + 4 * i;
            if (i + 2 < n) {
                u64 two, piped = 0x09307c3009307c30ull, slashed = 0x09302f3009302f30ull;
                memcpy(&two, q, 8);
                if (two == piped || two == slashed) { i += 2; continue; }
            }
            others = 1;
        }
        for (; others; others &= others - 1) {
            i64 person = i + __builtin_ctz(others);
            const u8 *q = body + 4 * person;
            i32 a, b;
            if (!genotype_at(&q, alleles, &a, &b) || q != body + 4 * person + 3) return -1;
            if (person + 1 < n ? *q != '\t' : q != end) return -1;
            if (a | b) { c->odd[found] = (i32)person; c->first[found] = a; c->second[found] = b; found++; }
        }
        i += step;
    }
    return found;
}

/* Genotypes with other fields; fills gq, dp, min_depth and ad as the layout has them. */
static i64 read_samples(const u8 *body, const u8 *end, i32 alleles, int fields, const Layout *l, Rules *c) {
    i64 n = c->people, length = end - body, words = (length + 1 + 63) / 64, found = 0;
    if (2 * words > c->marks_capacity) return -1;
    u64 *tabs = c->marks, *stops = c->marks + words;
#if defined(__x86_64__)
    if (!portable_only && has_avx2()) mark_avx2(body, words, tabs, stops);
    else
#endif
        mark_portable(body, words, tabs, stops);
    /* the byte behind the line (newline, or the carriage return before it) ends the last sample */
    tabs[length >> 6] |= 1ull << (length & 63);
    stops[length >> 6] |= 1ull << (length & 63);
    i64 at = 0;
    for (i64 i = 0; i < n; i++) {
        if (at > length) return -1;
        const u8 *q = body + at;
        i32 a, b;
        if (!genotype_at(&q, alleles, &a, &b)) return -1;
        i64 stop = next_mark(stops, at, words);
        if (body + stop != q) return -1;
        int field = 0;
        i32 gq = NO_VALUE, dp = NO_VALUE, min_dp = NO_VALUE;
        i64 ad = -1;
        while (field < l->last && stop < length && body[stop] == ':') {
            at = stop + 1;
            stop = next_mark(stops, at, words);
            field++;
            if (field == l->gq) gq = value_at(body + at, body + stop);
            else if (field == l->dp) dp = value_at(body + at, body + stop);
            else if (field == l->min_dp) min_dp = value_at(body + at, body + stop);
            else if (field == l->ad) ad = at;
        }
        if (gq < NO_VALUE || dp < NO_VALUE || min_dp < NO_VALUE) return -1;
        i64 tab = body[stop] == ':' && stop < length ? next_mark(tabs, stop, words) : stop;
        if (tab - stop) { /* not more subfields than FORMAT names */
            for (i64 w = stop; w < tab; w = next_mark(stops, w + 1, words)) field++;
            if (field >= fields) return -1;
        }
        c->gq[i] = gq; c->dp[i] = dp; c->min_depth[i] = min_dp; c->ad[i] = ad;
        if (a | b) { c->odd[found] = (i32)i; c->first[found] = a; c->second[found] = b; found++; }
        if (tab >= length) {
            if (tab > length || i + 1 < n) return -1;
            return found;
        }
        at = tab + 1;
    }
    return -1; /* more columns than people */
}

/* AD of one person in text, (alleles,); 0 when it is neither one `.` nor a list of as many numbers. */
static int text_ad(const u8 *p, i32 alleles, i32 *out) {
    for (i32 k = 0; k < alleles; k++) out[k] = NO_VALUE;
    for (i32 k = 0;; k++) {
        const u8 *stop = p;
        while (is_digit(*stop) || *stop == '.') stop++;
        if (k >= alleles || stop == p) return 0;
        out[k] = value_at(p, stop);
        if (out[k] < NO_VALUE) return 0;
        if (*stop != ',') return k == alleles - 1 || (k == 0 && out[0] == NO_VALUE);
        p = stop + 1;
    }
}

/* ---------------------------------------------------------------- BCF */

static inline i32 load_int(const u8 *p, int type) {
    if (type == 1) { int8_t v = (int8_t)*p; return v == INT8_MIN ? NO_VALUE : v == INT8_MIN + 1 ? NO_VALUE : v; }
    if (type == 2) { int16_t v; memcpy(&v, p, 2); return v <= INT16_MIN + 1 ? NO_VALUE : v; }
    i32 v; memcpy(&v, p, 4);
    return v <= INT32_MIN + 1 ? NO_VALUE : v;
}

static const int TYPE_SIZE[16] = {0, 1, 2, 4, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};

/* A typed integer at *p (BCF2, section 6.3.3); moves *p. 0 when it is not one. */
static int typed_int(const u8 **p, const u8 *stop, i64 *value) {
    if (*p >= stop) return 0;
    int type = **p & 15, length = **p >> 4, size = TYPE_SIZE[type];
    if (length != 1 || type < 1 || type > 3 || *p + 1 + size > stop) return 0;
    *value = load_int(*p + 1, type);
    *p += 1 + size;
    return 1;
}

/* The head of a typed vector: its type and length; moves *p to the values. 0 when they do not fit. */
static int typed_head(const u8 **p, const u8 *stop, int *type, i64 *length) {
    if (*p >= stop) return 0;
    u8 head = *(*p)++;
    *type = head & 15;
    *length = head >> 4;
    if (*length == 15 && !typed_int(p, stop, length)) return 0;
    return *length >= 0 && (TYPE_SIZE[*type] || *type == 0);
}

static inline u32 load_u32(const u8 *p) { u32 v; memcpy(&v, p, 4); return v; }

/* The INFO value of `key` when it is one integer; 0 when it is absent. */
static i64 bcf_info_end(const u8 *p, const u8 *stop, int infos, i32 key, int *odd) {
    for (int i = 0; i < infos; i++) {
        i64 id, length;
        int type;
        if (!typed_int(&p, stop, &id) || !typed_head(&p, stop, &type, &length) || p + length * TYPE_SIZE[type] > stop) {
            *odd = 1;
            return 0;
        }
        if (id == key) {
            if (length != 1 || type < 1 || type > 3) { *odd = 1; return 0; }
            return load_int(p, type);
        }
        p += length * TYPE_SIZE[type];
    }
    return 0;
}

/* The same as tessera_scan_text, for BCF records whose contig has number `contig`. */
void tessera_scan_bcf(const u8 *buffer, i64 length, i32 contig, i32 people, i32 end_key, i32 pass_key, Scan *s) {
    const u8 *p = buffer, *stop = buffer + length;
    s->records = s->alleles = 0;
    while (stop - p >= 32 && s->records < s->capacity) {
        u64 shared = load_u32(p), individual = load_u32(p + 4);
        if ((u64)(stop - p) < 8 + shared + individual || (i32)load_u32(p + 8) != contig) break;
        i64 r = s->records, a = s->alleles;
        const u8 *body = p + 8 + shared, *q = p + 32;
        u32 alleles = load_u32(p + 24) >> 16, infos = load_u32(p + 24) & 0xffff;
        u32 samples = load_u32(p + 28) & 0xffffff;
        int type, odd = shared < 24 || samples != (u32)people || alleles < 1;
        i64 size, pos = (i64)(i32)load_u32(p + 12) + 1;
        if (a + alleles > s->allele_capacity) break;
        odd |= pos < 1;
        s->line[r] = p - buffer; s->line_end[r] = body + individual - buffer;
        s->ref[r] = q - buffer; s->ref_length[r] = 0; s->passes[r] = 0;
        int reference = 1;
        if (!odd && typed_head(&q, body, &type, &size) && q + size <= body) {
            q += size; /* ID */
            for (u32 k = 0; k < alleles; k++) {
                if (!typed_head(&q, body, &type, &size) || (type != 7 && size) || q + size > body || size < 1) {
                    odd = 1;
                    break;
                }
                int bases = 1;
                for (i64 i = 0; i < size; i++) bases &= is_base(q[i]);
                if (k == 0) {
                    s->ref[r] = q - buffer; s->ref_length[r] = (i32)size;
                    odd |= !bases;
                } else {
                    s->alt[a] = q - buffer; s->alt_length[a] = (i32)size;
                    a++;
                    if (only_non_ref(q, size)) odd |= *q == '.';
                    else {
                        reference = 0;
                        if (!bases) odd |= *q == '*' ? size != 1 : *q != '<' || q[size - 1] != '>';
                    }
                }
                q += size;
            }
            if (!odd && typed_head(&q, body, &type, &size) && q + size * TYPE_SIZE[type] <= body) {
                s->passes[r] = size == 0 || (size == 1 && type == 1 && load_int(q, type) == pass_key);
                q += size * TYPE_SIZE[type];
            } else odd = 1;
        } else odd = 1;
        i64 end_pos = pos - 1 + s->ref_length[r];
        if (!odd && reference) {
            i64 told = bcf_info_end(q, body, (int)infos, end_key, &odd);
            if (told > end_pos) end_pos = told;
        }
        s->pos[r] = (i32)(odd && pos < 1 ? 0 : pos); s->end[r] = end_pos;
        s->first_allele[r] = (i32)s->alleles;
        s->body[r] = body - buffer; s->format[r] = load_u32(p + 28) >> 24;
        s->status[r] = odd ? NOT_UNDERSTOOD : 0;
        s->alleles = a;
        s->records++;
        p += 8 + shared + individual;
    }
    s->first_allele[s->records] = (i32)s->alleles;
    s->consumed = p - buffer;
}

typedef struct { const u8 *at; int type; i64 length; } Vector;

static void load_scalars(const Vector *v, i64 n, i32 *out) {
    if (v->type == 1 && v->length == 1)
        for (i64 i = 0; i < n; i++) { int8_t x = (int8_t)v->at[i]; out[i] = x < 0 ? NO_VALUE : x; }
    else if (v->type == 2 && v->length == 1)
        for (i64 i = 0; i < n; i++) { int16_t x; memcpy(&x, v->at + 2 * i, 2); out[i] = x < 0 ? NO_VALUE : x; }
    else if (v->length == 0)
        for (i64 i = 0; i < n; i++) out[i] = NO_VALUE;
    else {
        i64 step = v->length * TYPE_SIZE[v->type];
        for (i64 i = 0; i < n; i++) { i32 x = load_int(v->at + step * i, v->type); out[i] = x < 0 ? NO_VALUE : x; }
    }
}

static i64 read_bcf_genotypes(const Vector *gt, i32 alleles, Rules *c) {
    i64 n = c->people, found = 0;
    if (gt->type < 1 || gt->type > 2 || gt->length < 1 || gt->length > 2) return -1;
    int size = TYPE_SIZE[gt->type];
    for (i64 i = 0; i < n;) {
        u32 others = 1;
        int step = 1;
#if defined(__x86_64__)
        if (gt->type == 1 && gt->length == 2 && !portable_only && has_avx2() && i + 16 <= n) {
            i = skip_reference_bcf_avx2(gt->at, i, n, &others);
            if (!others) continue;
            step = 16;
        } else
#endif
        if (gt->type == 1 && gt->length == 2 && i + 4 <= n) {
            u64 four;
            memcpy(&four, gt->at + 2 * i, 8);
            if ((four & 0xfefefefefefefefeull) == 0x0202020202020202ull) { i += 4; continue; }
        }
        for (; others; others &= others - 1) {
            i64 person = i + __builtin_ctz(others);
            i32 allele[2] = {ABSENT, ABSENT};
            for (i64 k = 0; k < gt->length; k++) {
                const u8 *q = gt->at + (person * gt->length + k) * size;
                i32 raw;
                if (size == 1) { raw = (int8_t)*q; raw = raw == INT8_MIN + 1 ? ABSENT : raw < 0 ? -3 : (raw >> 1) - 1; }
                else { int16_t v; memcpy(&v, q, 2); raw = v == INT16_MIN + 1 ? ABSENT : v < 0 ? -3 : (v >> 1) - 1; }
                if (raw < ABSENT || raw >= alleles || (k == 0 && raw == ABSENT)) return -1;
                allele[k] = raw;
            }
            if (allele[0] | allele[1]) {
                c->odd[found] = (i32)person; c->first[found] = allele[0]; c->second[found] = allele[1];
                found++;
            }
        }
        i += step;
    }
    return found;
}

/* ---------------------------------------------------------------- judging, for both */

typedef struct {
    i32 alleles;          /* with REF */
    int passes, reference; /* reference: no allele but REF and <NON_REF> is at stake */
    int has_gq, has_dp, has_min_dp, has_ad;
    const u8 *buffer;     /* text: where ad offsets point */
    const Vector *ad;     /* BCF */
    const u8 *use;        /* (alleles - 1,) what each ALT is to the count */
    const u8 *kind;       /* (alleles - 1,) its class for the people's tallies */
    i64 first_allele;
    i32 counted;          /* number of ALTs that are COUNTED */
} Site;

static int reads_of(const Site *t, const Rules *c, i64 person, i32 *out) {
    if (!t->ad) {
        if (c->ad[person] >= 0) return text_ad(t->buffer + c->ad[person], t->alleles, out);
        for (i32 k = 0; k < t->alleles; k++) out[k] = NO_VALUE;
        return 1;
    }
    i64 size = TYPE_SIZE[t->ad->type];
    for (i64 k = 0; k < t->alleles; k++)
        out[k] = k < t->ad->length ? load_int(t->ad->at + (person * t->ad->length + k) * size, t->ad->type) : NO_VALUE;
    return 1;
}

static int reason_of(const Site *t, const Rules *c, i64 i, i32 a, i32 b, const i32 *reads, int whole_ad) {
    int copies = c->copies[i], het = a != b && b != ABSENT;
    if (copies == 0) return NO_COPY_HERE;
    if (!t->passes) return FILTER;
    if (a < 0 && b < 0) return MISSING_CALL;
    if (a == MISSING || b == MISSING) return HALF_CALL;
    if ((a > 0 && t->use[a - 1] == NON_REF_ALLELE) || (b > 0 && t->use[b - 1] == NON_REF_ALLELE)) return NON_REF_CALL;
    if (copies == 2 && b == ABSENT) return HAPLOID_CALL_OF_DIPLOID;
    if (copies == 1 && het && !c->mitochondrial) return HET_CALL_OF_HAPLOID;
    if (c->min_gq != NO_VALUE && !(t->reference && !t->has_gq) && !(t->has_gq && c->gq[i] >= c->min_gq)) return LOW_GQ;
    if (c->asks_depth) {
        const i32 *depth = t->reference && t->has_min_dp ? c->min_depth : c->dp;
        int has = (t->reference && t->has_min_dp) || t->has_dp;
        if (!has || depth[i] == NO_VALUE || depth[i] < c->min_dp[i]) return LOW_DP;
    }
    if (c->min_ab != NO_VALUE && copies == 2 && het) {
        if (!whole_ad || !t->has_dp) return LOW_ALLELE_BALANCE;
        i64 needed = (i64)c->min_ab * c->dp[i];
        if ((a > 0 && (reads[a] < 0 || 1000 * (i64)reads[a] < needed))
            || (b > 0 && (reads[b] < 0 || 1000 * (i64)reads[b] < needed)))
            return LOW_ALLELE_BALANCE;
    }
    return CALLED;
}

static inline int bin_of(i32 value) { return value >= 100 ? 20 : value / 5; }

/* Add one person's ALTs to the rows, histograms and tallies. */
static void tally_carrier(const Site *t, const Rules *c, Counts *out, i64 i, i32 a, i32 b, int reason, const i32 *reads) {
    int het = a != b && b >= 0, one = c->copies[i] == 1, stratum = c->stratum[i];
    for (int side = 0; side < 2; side++) {
        i32 allele = side ? b : a;
        if (allele <= 0 || (side && a == b)) continue;
        i64 row = t->first_allele + allele - 1;
        out->carriers[row * REASONS + reason]++;
        if (t->use[allele - 1] != COUNTED || reason != CALLED) continue;
        i32 *into = het ? out->n_het : one ? out->n_hemi : out->n_homalt;
        into[row * c->strata + stratum]++;
        out->tallies[i * TALLIES + t->kind[allele - 1] * ZYGOSITIES + (het ? 0 : one ? 2 : 1)]++;
        i64 *histogram = out->histograms + (i64)stratum * METRICS * BINS;
        if (t->has_gq && c->gq[i] >= 0) histogram[GQ_ALT * BINS + bin_of(c->gq[i])]++;
        if (t->has_dp && c->dp[i] >= 0) histogram[DP_ALT * BINS + bin_of(c->dp[i])]++;
        if (t->has_ad && t->has_dp && c->dp[i] > 0 && reads[allele] >= 0 && (c->mitochondrial || (het && !one))) {
            i64 bin = 20 * (i64)reads[allele] / c->dp[i];
            histogram[SHARE_ALT * BINS + (bin > 19 ? 19 : bin)]++;
        }
    }
}

/* Judge those who are 0/0: ok[i] says who is called. Returns 0 when nobody can be. */
static int judge_references(const Site *t, const Rules *c) {
    i64 n = c->people;
    u8 *ok = c->ok;
    int possible = t->passes && !(c->min_gq != NO_VALUE && !t->reference && !t->has_gq);
    const i32 *depth = t->reference && t->has_min_dp ? c->min_depth : c->dp;
    int has_depth = (t->reference && t->has_min_dp) || t->has_dp;
    if (!possible || (c->asks_depth && !has_depth)) { memset(ok, 0, n); return 0; }
    for (i64 i = 0; i < n; i++) ok[i] = c->copies[i] > 0;
    if (c->min_gq != NO_VALUE && t->has_gq) for (i64 i = 0; i < n; i++) ok[i] &= c->gq[i] >= c->min_gq;
    if (c->asks_depth) for (i64 i = 0; i < n; i++) ok[i] &= (depth[i] >= c->min_dp[i]) & (depth[i] >= 0);
    return 1;
}

static void sum_called(const Rules *c, Counts *out, i64 record) {
    i64 n = c->people, strata = c->strata;
    i32 *dip = out->n_dip + record * strata, *hap = out->n_hap + record * strata;
    for (i64 s = 0; s < strata; s++) { dip[s] = (i32)c->sizes[3 * s + 2]; hap[s] = (i32)c->sizes[3 * s + 1]; }
    u8 *bits = out->called + record * ((n + 7) / 8);
    for (i64 i = 0; i < n; i += 8) {
        u64 eight = 0;
        memcpy(&eight, c->ok + i, n - i < 8 ? n - i : 8);
        bits[i >> 3] = (u8)((eight * 0x0102040810204080ull) >> 56);
        if (eight == 0x0101010101010101ull) continue;
        for (i64 k = i; k < n && k < i + 8; k++)
            if (!c->ok[k] && c->stratum[k] >= 0 && c->copies[k]) {
                if (c->copies[k] == 2) dip[c->stratum[k]]--;
                else hap[c->stratum[k]]--;
            }
    }
}

/* Histograms and sums over everybody who is called at a record with `counted` variants. */
static void sum_qualities(const Site *t, const Rules *c, Counts *out) {
    for (i64 i = 0; i < c->people; i++) {
        i64 *mine = out->tallies + i * TALLIES;
        mine[N_ASKED] += c->copies[i] > 0 && c->stratum[i] >= 0;
        if (!c->ok[i]) continue;
        mine[N_CALLED]++;
        i64 *histogram = out->histograms + (i64)c->stratum[i] * METRICS * BINS;
        if (t->has_gq && c->gq[i] >= 0) {
            mine[N_GQ]++; mine[SUM_GQ] += c->gq[i];
            histogram[GQ_ALL * BINS + bin_of(c->gq[i])] += t->counted;
        }
        if (t->has_dp && c->dp[i] >= 0) {
            mine[N_DP]++; mine[SUM_DP] += c->dp[i];
            histogram[DP_ALL * BINS + bin_of(c->dp[i])] += t->counted;
        }
    }
}

/* Genotypes alone, of diploid people, at a record that passes: most of a cohort file, in few instructions. */
static void count_plain_site(const Site *t, Rules *c, Counts *out, i64 record, i64 found) {
    i64 strata = c->strata;
    memset(c->ok, 1, c->people);
    for (i64 i = 0; c->some_left_out && i < c->people; i++) c->ok[i] = c->copies[i] > 0;
    for (i64 k = 0; k < found; k++) {
        i64 i = c->odd[k], stratum = c->stratum[i];
        i32 a = c->first[k], b = c->second[k];
        if (stratum < 0) continue;
        if (a < 0 || b < 0) {
            int reason = reason_of(t, c, i, a, b, NULL, 0);
            c->ok[i] = 0;
            out->tallies[i * TALLIES + N_CALLED]--;
            tally_carrier(t, c, out, i, a, b, reason, NULL);
            continue;
        }
        i64 *mine = out->tallies + i * TALLIES;
        if (a == b) {
            i64 row = t->first_allele + a - 1;
            out->n_homalt[row * strata + stratum]++;
            mine[t->kind[a - 1] * ZYGOSITIES + 1]++;
            continue;
        }
        for (int side = 0; side < 2; side++) {
            i32 allele = side ? b : a;
            if (!allele) continue;
            out->n_het[(t->first_allele + allele - 1) * strata + stratum]++;
            mine[t->kind[allele - 1] * ZYGOSITIES]++;
        }
    }
    for (i32 k = 0; k + 1 < t->alleles; k++) {
        i64 row = t->first_allele + k, all = 0;
        for (i64 s = 0; s < strata; s++) all += out->n_het[row * strata + s] + out->n_homalt[row * strata + s];
        out->carriers[row * REASONS + CALLED] += (i32)all;
    }
    sum_called(c, out, record);
}

/* Count a record of which `found` people are not 0/0. Returns 0, with nothing written, when an AD is not understood. */
static int count_site(const Site *t, Rules *c, Counts *out, i64 record, i64 found, i64 *plain_sites) {
    i32 reads[MAX_ALLELE + 1];
    int nothing_asked = c->min_gq == NO_VALUE && !c->asks_depth && c->min_ab == NO_VALUE;
    int plain = !t->has_gq && !t->has_dp;
    if (plain && nothing_asked && t->passes && c->everybody_diploid && t->counted == t->alleles - 1 && !t->has_ad) {
        count_plain_site(t, c, out, record, found);
        ++*plain_sites;
        return 1;
    }
    if (t->has_ad && !t->ad)
        for (i64 k = 0; k < found; k++)
            if (!reads_of(t, c, c->odd[k], reads)) return 0;
    int whole_ad = t->has_ad && (!t->ad || t->ad->length == t->alleles);
    int possible = judge_references(t, c);
    for (i64 k = 0; k < found; k++) {
        i64 i = c->odd[k];
        if (c->stratum[i] < 0) continue;
        i32 a = c->first[k], b = c->second[k];
        if (t->has_ad) reads_of(t, c, i, reads);
        int reason = reason_of(t, c, i, a, b, reads, whole_ad);
        c->ok[i] = reason == CALLED;
        tally_carrier(t, c, out, i, a, b, reason, reads);
        if (t->counted && plain && possible && reason != CALLED && reason != NO_COPY_HERE)
            out->tallies[i * TALLIES + N_CALLED]--;
    }
    sum_called(c, out, record);
    if (t->counted && plain) {
        /* nothing but genotypes: everybody is asked and called, but for the few */
        ++*plain_sites;
        for (i64 i = 0; !possible && i < c->people; i++)
            if (c->copies[i]) out->tallies[i * TALLIES + N_CALLED]--;
    } else if (t->counted) sum_qualities(t, c, out);
    return 1;
}

/* Everybody with a copy was asked at `plain` sites, and called unless it was taken back there. */
static void add_plain_sites(const Rules *c, Counts *out, i64 plain) {
    for (i64 i = 0; plain && i < c->people; i++)
        if (c->copies[i]) {
            out->tallies[i * TALLIES + N_ASKED] += plain;
            out->tallies[i * TALLIES + N_CALLED] += plain;
        }
}

static int alts_of(Site *t, const Scan *s, i64 r, const u8 *use, const u8 *kind) {
    t->first_allele = s->first_allele[r];
    t->alleles = 1 + s->first_allele[r + 1] - s->first_allele[r];
    t->use = use + t->first_allele;
    t->kind = kind + t->first_allele;
    t->passes = s->passes[r];
    t->counted = 0;
    t->reference = 1;
    for (i32 k = 0; k + 1 < t->alleles; k++) {
        t->counted += t->use[k] == COUNTED;
        t->reference &= t->use[k] == NON_REF_ALLELE;
    }
    return t->alleles <= MAX_ALLELE;
}

/* Count records [from, to) whose status is 0; a record that is not understood gets its status and is left out. */
void tessera_count_text(const u8 *buffer, Scan *s, i64 from, i64 to, const u8 *use, const u8 *kind, Rules *c, Counts *out) {
    i64 plain = 0;
    for (i64 r = from; r < to; r++) {
        if (s->status[r]) continue;
        Site t = {0};
        Layout l;
        const u8 *body = buffer + s->body[r], *end = buffer + s->line_end[r];
        int fields = layout_of(buffer + s->format[r], body - 1, &l);
        i64 found = -1;
        int declared = (l.gq < 0 || c->gq_key != NO_VALUE) && (l.dp < 0 || c->dp_key != NO_VALUE)
                       && (l.min_dp < 0 || c->min_dp_key != NO_VALUE) && (l.ad < 0 || c->ad_key != NO_VALUE);
        if (fields && declared && alts_of(&t, s, r, use, kind)) {
            t.buffer = body;
            t.has_gq = l.gq >= 0; t.has_dp = l.dp >= 0; t.has_min_dp = l.min_dp >= 0; t.has_ad = l.ad >= 0;
            if (fields == 1) found = read_genotypes_only(body, end, t.alleles, c);
            if (found < 0) found = read_samples(body, end, t.alleles, fields, &l, c);
        }
        if (found < 0 || !count_site(&t, c, out, r, found, &plain)) s->status[r] = NOT_UNDERSTOOD;
    }
    add_plain_sites(c, out, plain);
}

static int bcf_vectors(const u8 *p, const u8 *stop, i64 fields, const Rules *c, Vector *gt, Vector *gq, Vector *dp,
                       Vector *min_dp, Vector *ad) {
    for (i64 f = 0; f < fields; f++) {
        i64 key;
        Vector v;
        if (!typed_int(&p, stop, &key) || !typed_head(&p, stop, &v.type, &v.length)) return 0;
        v.at = p;
        i64 size = v.length * TYPE_SIZE[v.type] * c->people;
        if (size > stop - p) return 0;
        p += size;
        Vector *into = key == c->gt_key ? gt : key == c->gq_key ? gq : key == c->dp_key ? dp
                       : key == c->min_dp_key ? min_dp : key == c->ad_key ? ad : NULL;
        if (!into) continue;
        if (into->at || v.type > 3 || (v.type == 0 && v.length)) return 0;
        *into = v;
    }
    return gt->at != NULL;
}

/* The same as tessera_count_text, for BCF. */
void tessera_count_bcf(const u8 *buffer, Scan *s, i64 from, i64 to, const u8 *use, const u8 *kind, Rules *c, Counts *out) {
    i64 plain = 0;
    for (i64 r = from; r < to; r++) {
        if (s->status[r]) continue;
        Site t = {0};
        Vector gt = {0}, gq = {0}, dp = {0}, min_dp = {0}, ad = {0};
        i64 found = -1;
        if (bcf_vectors(buffer + s->body[r], buffer + s->line_end[r], s->format[r], c, &gt, &gq, &dp, &min_dp, &ad)
            && alts_of(&t, s, r, use, kind) && gq.length <= 1 && dp.length <= 1 && min_dp.length <= 1) {
            t.has_gq = gq.at != NULL; t.has_dp = dp.at != NULL; t.has_min_dp = min_dp.at != NULL; t.has_ad = ad.at != NULL;
            if (t.has_ad) t.ad = &ad;
            if (t.has_gq) load_scalars(&gq, c->people, c->gq);
            if (t.has_dp) load_scalars(&dp, c->people, c->dp);
            if (t.has_min_dp) load_scalars(&min_dp, c->people, c->min_depth);
            found = read_bcf_genotypes(&gt, t.alleles, c);
        }
        if (found < 0 || !count_site(&t, c, out, r, found, &plain)) s->status[r] = NOT_UNDERSTOOD;
    }
    add_plain_sites(c, out, plain);
}
