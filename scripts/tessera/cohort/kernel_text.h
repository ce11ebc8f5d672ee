/* The text of a VCF: its records, and the people of a line. */

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

/* ---------------------------------------------------------------- the people of a line */

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

/* A genotype at p; returns its end, or NULL when it is none that the kernel counts. */
static inline const u8 *genotype_at(const u8 *p, const u8 *stop, i32 alleles, i32 *first, i32 *second) {
    *first = allele_at(&p);
    *second = ABSENT;
    if (*p == '/' || *p == '|') { p++; *second = allele_at(&p); }
    int known = *first >= MISSING && *second >= ABSENT && *first < alleles && *second < alleles;
    return known && (p == stop || *p == ':') ? p : NULL;
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

/* "a/b" or "a|b" of one digit each, the separator's kind aside. */
static inline int is_short_genotype(u32 four) {
    u32 separator = four >> 8 & 0xff;
    return is_digit((u8)four) && is_digit((u8)(four >> 16)) && (separator == '/' || separator == '|');
}

/* Genotype of a person in four bytes, noted when it is not 0/0: 1, or 0 when it is; -1 when it is not understood. */
static inline int read_genotype(const u8 *body, const u8 *end, i64 person, i64 n, i32 alleles, Odd *odd) {
    const u8 *p = body + 4 * person, *stop = p + 3;
    if (person + 1 < n ? *stop != '\t' : stop != end) return -1;
    u32 four = load_u32(p);
    i32 a = (i32)(four & 0xff) - '0', b = (i32)(four >> 16 & 0xff) - '0';
    int quick = is_short_genotype(four) && a < alleles && b < alleles;
    if (!quick && genotype_at(p, stop, alleles, &a, &b) != stop) return -1;
    note_odd(odd, person, a, b);
    return (a | b) != 0;
}

#if defined(__x86_64__)
/* Bits of the 16 people of these 64 bytes whose "0|0\t" or "0/0\t" is something else. */
AVX2 static inline u64 others_in_text(const u8 *cells) {
    const __m256i piped = _mm256_set1_epi32('0' | '|' << 8 | '0' << 16 | '\t' << 24);
    const __m256i slashed = _mm256_set1_epi32('0' | '/' << 8 | '0' << 16 | '\t' << 24);
    __m256i x = _mm256_loadu_si256((const __m256i *)cells), y = _mm256_loadu_si256((const __m256i *)(cells + 32));
    x = _mm256_or_si256(_mm256_cmpeq_epi32(x, piped), _mm256_cmpeq_epi32(x, slashed));
    y = _mm256_or_si256(_mm256_cmpeq_epi32(y, piped), _mm256_cmpeq_epi32(y, slashed));
    u32 same = (u32)_mm256_movemask_ps(_mm256_castsi256_ps(x)) | (u32)_mm256_movemask_ps(_mm256_castsi256_ps(y)) << 8;
    return ~same & 0xffff;
}

/* Look for who is not 0/0 among as many people as come in sixty-fours, and are not the last; how many were seen. */
AVX2 static i64 find_others_avx2(const u8 *body, i64 n, i32 *others, i64 *found) {
    i64 i = 0;
    for (; i + 64 < n; i += 64) {
        const u8 *cells = body + 4 * i;
        u64 bits = others_in_text(cells) | others_in_text(cells + 64) << 16 | others_in_text(cells + 128) << 32
                   | others_in_text(cells + 192) << 48;
        *found += write_places(bits, i, others + *found);
    }
    return i;
}
#endif

/* Who may not be 0/0, to `places`, where there are genotypes alone, of four bytes each but the last; -1 where not. */
static i64 find_others(const u8 *body, const u8 *end, Rules *c) {
    const u64 piped = 0x09307c3009307c30ull, slashed = 0x09302f3009302f30ull;
    i64 n = c->people, others = 0, i = 0;
    if (end - body != 4 * n - 1) return -1;
#if defined(__x86_64__)
    if (is_fast()) i = find_others_avx2(body, n, c->places, &others);
#endif
    while (i < n) {
        u64 two;
        memcpy(&two, body + 4 * i, 8);
        if (i + 2 < n && (two == piped || two == slashed)) i += 2;
        else c->places[others++] = (i32)i++;
    }
    return others;
}

INLINE int pair_of_text(const u8 *body, i64 person, i64 last) {
    u32 four = load_u32(body + 4 * person), separator = four >> 8 & 0xff;
    int known = (four & 0xfe00fe) == ('0' | '0' << 16) && (separator == '|' || separator == '/');
    return known && (four >> 24 == '\t' || person == last) ? (int)((four & 1) + (four >> 16 & 1)) : NO_PAIR;
}

/* Notes who of the `others` is not 0/0. */
static i64 read_genotypes_only(const u8 *body, const u8 *end, i32 alleles, i64 others, Rules *c) {
    i64 found = 0;
    for (i64 k = 0; k < others; k++) {
        int noted = read_genotype(body, end, c->places[k], c->people, alleles, c->odd + found);
        if (noted < 0) return -1;
        found += noted;
    }
    return found;
}

/* One person's sample in [p, stop): fills gq, dp and min_depth; notes who is not 0/0, as read_genotype does. */
static int read_sample(const u8 *p, const u8 *stop, i32 alleles, int fields, const Layout *l, i64 person, Rules *c,
                       Odd *odd) {
    i32 a, b, gq = NO_VALUE, dp = NO_VALUE, min_dp = NO_VALUE;
    const u8 *q = genotype_at(p, stop, alleles, &a, &b), *ad = NULL;
    if (!q) return -1;
    for (int field = 1; q < stop; field++) {
        const u8 *start = ++q;
        while (q < stop && *q != ':') q++;
        if (field == fields) return -1;
        if (field == l->gq) gq = value_at(start, q);
        else if (field == l->dp) dp = value_at(start, q);
        else if (field == l->min_dp) min_dp = value_at(start, q);
        else if (field == l->ad) ad = start;
    }
    if (gq < NO_VALUE || dp < NO_VALUE || min_dp < NO_VALUE) return -1;
    if (gq > MAX_VALUE || dp > MAX_VALUE || min_dp > MAX_VALUE) return -1;
    c->gq[person] = (i16)gq; c->dp[person] = (i16)dp; c->min_depth[person] = (i16)min_dp;
    note_odd(odd, person, a, b);
    if (ad) odd->ad = (i32)(ad - p) + c->places[person];
    return (a | b) != 0;
}

#if defined(__x86_64__)
AVX2 static inline u64 bits_of(const u8 *p, u8 byte) {
    const __m256i wanted = _mm256_set1_epi8((char)byte);
    u32 low = (u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)p), wanted));
    u32 high = (u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(p + 32)), wanted));
    return low | (u64)high << 32;
}

/* find_samples, but for the first start and the last. */
AVX2 static i64 find_samples_avx2(const u8 *body, i64 length, i64 n, i32 *starts) {
    i64 found = 1;
    for (i64 at = 0; at < length; at += 64) {
        u64 tabs = bits_of(body + at, '\t');
        if (length - at < 64) tabs &= (1ull << (length - at)) - 1;
        if (found + __builtin_popcountll(tabs) > n) return 0;
        found += write_places(tabs, at + 1, starts + found);
    }
    return found == n;
}

/* Thirty-two samples: the first four bytes of each GT and number, how many bytes the number has, where AD starts. */
enum { TOGETHER = 32, NUMBERS = 3 };
typedef struct { u32 genotype[TOGETHER], number[NUMBERS][TOGETHER], length[NUMBERS][TOGETHER], ad[TOGETHER]; } Samples;

/* Put a sample of [p, stop) in place k; as one without numbers when it is long, lacks fields, or has too many. */
AVX2 INLINE void take_sample(const u8 *p, const u8 *stop, int fields, const Layout *l, Samples *to, int k) {
    const int wanted[NUMBERS] = {l->gq, l->dp, l->min_dp};
    u8 end[64];
    u64 last = 1ull << ((stop - p) & 63), colons = bits_of(p, ':') & (last - 1);
    int count = __builtin_popcountll(colons), usual = stop - p < 64 && count >= l->last && count < fields;
    colons |= last;
    for (int field = 0; field <= l->last; field++, colons &= colons - 1) end[field] = (u8)_tzcnt_u64(colons);
    to->genotype[k] = usual && end[0] == 3 ? load_u32(p) : 0;
    for (int at = 0; at < NUMBERS; at++) {
        if (wanted[at] < 0) continue;
        to->number[at][k] = load_u32(p + end[wanted[at] - 1] + 1);
        to->length[at][k] = end[wanted[at]] - end[wanted[at] - 1] - 1;
    }
    if (l->ad > 0) to->ad[k] = end[l->ad - 1] + 1;
}

/* Eight whole numbers of one to four digits; bits of those that are none in `odd`. */
AVX2 static inline __m128i eight_numbers(const u32 *numbers, const u32 *lengths, u32 *odd) {
    const __m256i four = _mm256_set1_epi32(4), zero = _mm256_setzero_si256();
    __m256i length = _mm256_loadu_si256((const __m256i *)lengths);
    __m256i digits = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)numbers), _mm256_set1_epi8('0'));
    /* the last digit comes to lie in the highest byte, and what is behind it goes */
    digits = _mm256_sllv_epi32(digits, _mm256_slli_epi32(_mm256_sub_epi32(four, length), 3));
    __m256i other = _mm256_or_si256(_mm256_cmpeq_epi32(length, zero), _mm256_cmpgt_epi32(length, four));
    __m256i above_9 = _mm256_subs_epu8(digits, _mm256_set1_epi8(9));
    other = _mm256_or_si256(other, _mm256_xor_si256(_mm256_cmpeq_epi32(above_9, zero), _mm256_set1_epi32(-1)));
    *odd |= (u32)_mm256_movemask_ps(_mm256_castsi256_ps(other));
    __m256i pairs = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(10 | 1 << 8));
    __m256i values = _mm256_madd_epi16(pairs, _mm256_set1_epi32(100 | 1 << 16));
    return _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
}

/* Bits of the eight that are not "0/0" or "0|0". */
AVX2 static inline u32 not_reference(const u32 *genotypes) {
    __m256i x = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)genotypes), _mm256_set1_epi32(0xffffff));
    __m256i same = _mm256_or_si256(_mm256_cmpeq_epi32(x, _mm256_set1_epi32('0' | '/' << 8 | '0' << 16)),
                                   _mm256_cmpeq_epi32(x, _mm256_set1_epi32('0' | '|' << 8 | '0' << 16)));
    return ~(u32)_mm256_movemask_ps(_mm256_castsi256_ps(same)) & 0xff;
}

/* Numbers of `count` samples to the arrays of people from `first` on; bits of those to look at again. */
AVX2 INLINE u32 judge_samples(const Samples *some, int count, const Layout *l, i64 first, Rules *c, u32 *odd) {
    i16 *into[NUMBERS] = {c->gq, c->dp, c->min_depth};
    const int wanted[NUMBERS] = {l->gq, l->dp, l->min_dp};
    u32 others = 0;
    for (int at = 0; at < count; at += 8) {
        u32 unusual = 0;
        for (int k = 0; k < NUMBERS; k++)
            if (wanted[k] >= 0)
                _mm_storeu_si128((__m128i *)(into[k] + first + at),
                                 eight_numbers(some->number[k] + at, some->length[k] + at, &unusual));
        others |= not_reference(some->genotype + at) << at;
        *odd |= unusual << at;
    }
    return others;
}

/* read_samples, thirty-two at a time. */
AVX2 INLINE i64 read_together(const u8 *body, i32 alleles, int fields, const Layout *l, Rules *c) {
    Samples some = {0};
    i64 n = c->people, found = 0;
    const i32 *starts = c->places;
    for (i64 first = 0; first < n; first += TOGETHER) {
        int count = n - first < TOGETHER ? (int)(n - first) : TOGETHER;
        u32 whole = count < TOGETHER ? (1u << count) - 1 : ~0u, odd = 0;
        for (int k = 0; k < count; k++)
            take_sample(body + starts[first + k], body + starts[first + k + 1] - 1, fields, l, &some, k);
        u32 others = judge_samples(&some, count, l, first, c, &odd) & whole;
        for (others |= odd & whole; others; others &= others - 1) {
            int k = __builtin_ctz(others);
            u32 four = some.genotype[k];
            i32 start = starts[first + k], a = (i32)(four & 0xff) - '0', b = (i32)(four >> 16 & 0xff) - '0';
            if (!(odd >> k & 1) && is_short_genotype(four) && a < alleles && b < alleles) {
                note_odd(c->odd + found, first + k, a, b);
                if (l->ad > 0) c->odd[found].ad = start + (i32)some.ad[k];
                found++;
                continue;
            }
            const u8 *stop = body + starts[first + k + 1] - 1;
            int noted = read_sample(body + start, stop, alleles, fields, l, first + k, c, c->odd + found);
            if (noted < 0) return -1;
            found += noted;
        }
    }
    return found;
}

AVX2 static i64 read_samples_avx2(const u8 *body, i32 alleles, int fields, const Layout *l, Rules *c) {
    static const Layout usual = {.gq = 3, .dp = 2, .min_dp = -1, .ad = 1, .last = 3};
    if (memcmp(l, &usual, sizeof usual) == 0) return read_together(body, alleles, fields, &usual, c);
    return read_together(body, alleles, fields, l, c);
}
#endif

/* Where each sample starts, and one behind the end; 0 when there are not n. */
static i64 find_samples(const u8 *body, i64 length, i64 n, i32 *starts) {
    i64 found = 1;
    if (length > INT32_MAX - 64) return 0;
    starts[0] = 0;
#if defined(__x86_64__)
    if (is_fast()) {
        if (!find_samples_avx2(body, length, n, starts)) return 0;
        starts[n] = (i32)length + 1;
        return 1;
    }
#endif
    for (const u8 *tab = body; (tab = memchr(tab, '\t', body + length - tab)); starts[found++] = (i32)(++tab - body))
        if (found == n) return 0;
    starts[n] = (i32)length + 1;
    return found == n;
}

/* Genotypes with other fields; fills gq, dp and min_depth as the layout has them, and notes who is not 0/0. */
static i64 read_samples(const u8 *body, const u8 *end, i32 alleles, int fields, const Layout *l, Rules *c) {
    i64 found = 0;
    if (!find_samples(body, end - body, c->people, c->places)) return -1;
    if (l->gq < 0) fill_missing(c->gq, c->people);
    if (l->dp < 0) fill_missing(c->dp, c->people);
#if defined(__x86_64__)
    if (is_fast() && l->last < 64) return read_samples_avx2(body, alleles, fields, l, c);
#endif
    for (i64 i = 0; i < c->people; i++) {
        const u8 *p = body + c->places[i], *stop = body + c->places[i + 1] - 1;
        int noted = read_sample(p, stop, alleles, fields, l, i, c, c->odd + found);
        if (noted < 0) return -1;
        found += noted;
    }
    return found;
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
