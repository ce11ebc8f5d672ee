/* BCF: its records, and the people of one. */

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

/* One value a person, at most MAX_VALUE; 0 when they are not such. */
static int load_scalars(const Vector *v, i64 n, i16 *out) {
    if (!v->at || v->length == 0) { fill_missing(out, n); return 1; }
    if (v->length != 1) return 0;
    i32 highest = NO_VALUE;
    if (v->type == 1) for (i64 i = 0; i < n; i++) { int8_t x = (int8_t)v->at[i]; out[i] = x < 0 ? NO_VALUE : x; }
    else if (v->type == 2)
        for (i64 i = 0; i < n; i++) {
            i16 x;
            memcpy(&x, v->at + 2 * i, 2);
            out[i] = x < 0 ? NO_VALUE : x;
            highest = out[i] > highest ? out[i] : highest;
        }
    else
        for (i64 i = 0; i < n; i++) {
            i32 x = load_int(v->at + 4 * i, 3);
            out[i] = x < 0 ? NO_VALUE : (i16)x;
            highest = x > highest ? x : highest;
        }
    return highest <= MAX_VALUE;
}

/* One person's genotype, noted when it is not 0/0: 1, or 0 when it is; -1 when it is not understood. */
static inline int read_bcf_genotype(const Vector *gt, i64 person, i32 alleles, Odd *odd) {
    i32 allele[2] = {ABSENT, ABSENT};
    for (i64 k = 0; k < gt->length; k++) {
        i64 at = person * gt->length + k;
        i32 raw;
        if (gt->type == 1) { raw = (int8_t)gt->at[at]; raw = raw == INT8_MIN + 1 ? ABSENT : raw < 0 ? -3 : (raw >> 1) - 1; }
        else { i16 v; memcpy(&v, gt->at + 2 * at, 2); raw = v == INT16_MIN + 1 ? ABSENT : v < 0 ? -3 : (v >> 1) - 1; }
        if (raw < ABSENT || raw >= alleles || (k == 0 && raw == ABSENT)) return -1;
        allele[k] = raw;
    }
    note_odd(odd, person, allele[0], allele[1]);
    return (allele[0] | allele[1]) != 0;
}

#if defined(__x86_64__)
/* Bits of the 32 people of these 64 bytes, two 8-bit alleles each, who are not 0/0. */
AVX2 static inline u64 others_in_bcf(const u8 *genotypes) {
    const __m256i phase = _mm256_set1_epi8((char)0xfe), reference = _mm256_set1_epi8(2);
    __m256i x = _mm256_loadu_si256((const __m256i *)genotypes), y = _mm256_loadu_si256((const __m256i *)(genotypes + 32));
    x = _mm256_cmpeq_epi16(_mm256_and_si256(x, phase), reference);
    y = _mm256_cmpeq_epi16(_mm256_and_si256(y, phase), reference);
    /* packing takes 128 bits of x and y by turns; the permutation puts them in order */
    return ~(u32)_mm256_movemask_epi8(_mm256_permute4x64_epi64(_mm256_packs_epi16(x, y), 0xd8));
}

/* find_others_avx2 for BCF; the last may be among them. */
AVX2 static i64 find_others_in_bcf_avx2(const u8 *genotypes, i64 n, i32 *others, i64 *found) {
    i64 i = 0;
    for (; i + 64 <= n; i += 64) {
        u64 bits = others_in_bcf(genotypes + 2 * i) | others_in_bcf(genotypes + 2 * i + 64) << 32;
        *found += write_places(bits, i, others + *found);
    }
    return i;
}
#endif

/* Two alleles of eight bits each. */
static inline int are_pairs(const Vector *gt) { return gt->type == 1 && gt->length == 2; }

/* Who may not be 0/0, to `places`; -1 where the genotypes are not such as the kernel reads. */
static i64 find_bcf_others(const Vector *gt, Rules *c) {
    i64 n = c->people, others = 0, i = 0;
    if (gt->type < 1 || gt->type > 2 || gt->length < 1 || gt->length > 2) return -1;
#if defined(__x86_64__)
    if (are_pairs(gt) && is_fast()) i = find_others_in_bcf_avx2(gt->at, n, c->places, &others);
#endif
    while (i < n) {
        u64 four;
        memcpy(&four, gt->at + gt->length * TYPE_SIZE[gt->type] * i, 8);
        if (are_pairs(gt) && i + 4 <= n && (four & 0xfefefefefefefefeull) == 0x0202020202020202ull) i += 4;
        else c->places[others++] = (i32)i++;
    }
    return others;
}

INLINE int pair_of_bcf(const u8 *genotypes, i64 person, i64 last) {
    (void)last;
    /* an allele is 2 or 4, beside the bit for the phase */
    u32 two = load_u16(genotypes + 2 * person) & 0xfefe, ones = two >> 2 & 0x0101, zeros = two >> 1 & 0x0101;
    return (ones << 2 | zeros << 1) == two && (ones ^ zeros) == 0x0101 ? (int)((ones & 1) + (ones >> 8)) : NO_PAIR;
}

/* Notes who of the `others` is not 0/0. */
static i64 read_bcf_genotypes(const Vector *gt, i32 alleles, i64 others, Rules *c) {
    i64 found = 0;
    const Vector usual = {gt->at, 1, 2};
    for (i64 k = 0; k < others; k++) {
        int noted = read_bcf_genotype(are_pairs(gt) ? &usual : gt, c->places[k], alleles, c->odd + found);
        if (noted < 0) return -1;
        found += noted;
    }
    return found;
}
