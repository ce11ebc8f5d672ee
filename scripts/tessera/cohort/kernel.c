/* The counting kernel: records of an inflated VCF or BCF, to counts by leaf stratum.
 *
 * Two passes over a buffer of whole records. The scan finds the records and their fixed columns. The caller
 * decides from these what each ALT is (a variant to count, or none), and the count judges every person by the
 * rules of docs/counting.md. A record that the kernel does not understand is left uncounted and marked: the caller
 * reads it again, slowly, and either counts or refuses it. Nothing is written outside the arrays that are handed in,
 * and nothing is read outside the buffer, which must be followed by PADDING readable bytes.
 */
#include "kernel.h"
#include "kernel_text.h"
#include "kernel_bcf.h"
#include "kernel_gvcf.h"
#include "kernel_inflate.h"
#include "kernel_track.h"

/* What the caller's structures must measure, or it was made for another kernel. */
i64 tessera_layout(void) { return sizeof(Scan) + 1000 * sizeof(Rules) + 1000000 * sizeof(Counts); }

/* Choose the code path: 1 for AVX2 where the machine has it, 0 for the portable one. Returns what will run. */
int tessera_use_avx2(int wanted) {
    portable_only = !wanted;
    return wanted && has_avx2();
}

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

/* Reads of the person's alleles; 0 when an AD of text is not understood. */
static int take_reads(const Site *t, Odd *odd) {
    i32 all[MAX_ALLELE + 1];
    i64 size = t->ad ? TYPE_SIZE[t->ad->type] : 0;
    if (!t->ad && odd->ad < 0) return 1;
    if (!t->ad && !text_ad(t->buffer + odd->ad, t->alleles, all)) return 0;
    for (int side = 0; side < 2; side++) {
        i32 allele = side ? odd->second : odd->first;
        if (allele <= 0) continue;
        if (!t->ad) odd->reads[side] = all[allele];
        else if (allele < t->ad->length)
            odd->reads[side] = load_int(t->ad->at + (odd->person * t->ad->length + allele) * size, t->ad->type);
    }
    return 1;
}

static int is_low(const Odd *odd, int side, i64 needed) {
    i32 allele = side ? odd->second : odd->first, reads = odd->reads[side];
    return allele > 0 && (reads < 0 || 1000 * (i64)reads < needed);
}

static int reason_of(const Site *t, const Rules *c, const Odd *odd, int whole_ad) {
    i32 i = odd->person, a = odd->first, b = odd->second;
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
        const i16 *depth = t->reference && t->has_min_dp ? c->min_depth : c->dp;
        int has = (t->reference && t->has_min_dp) || t->has_dp;
        if (!has || depth[i] == NO_VALUE || depth[i] < c->min_dp[i]) return LOW_DP;
    }
    if (c->min_ab != NO_VALUE && copies == 2 && het) {
        if (!whole_ad || !t->has_dp) return LOW_ALLELE_BALANCE;
        i64 needed = (i64)c->min_ab * c->dp[i];
        if (is_low(odd, 0, needed) || is_low(odd, 1, needed)) return LOW_ALLELE_BALANCE;
    }
    return CALLED;
}

static inline int bin_of(i32 value) { return value >= 100 ? BINS - 1 : value / 5; }

/* Tally, by record, a person who has two ALTs there. */
static void tally_two_alts(const Site *t, const Rules *c, Counts *out, const Odd *odd) {
    int snv = 0, indel = 0;
    for (int side = 0; side < 2; side++) {
        i32 k = (side ? odd->second : odd->first) - 1;
        int is_snv = t->kind[k] < SNV_CLASSES, counted = t->use[k] == COUNTED;
        snv |= counted & is_snv;
        indel |= counted & !is_snv;
    }
    out->tallies[TWO_ALTS_SNV * (i64)c->people + odd->person] += snv;
    out->tallies[TWO_ALTS_INDEL * (i64)c->people + odd->person] += indel;
}

/* Add one person's ALTs to the rows, histograms and tallies. */
static void tally_carrier(const Site *t, const Rules *c, Counts *out, const Odd *odd, int reason) {
    i64 i = odd->person, stratum = c->stratum[i];
    int het = odd->first != odd->second && odd->second >= 0, one = c->copies[i] == 1;
    int by_two = c->by_record && het && odd->first > 0 && odd->second > 0;
    if (by_two && reason == CALLED) tally_two_alts(t, c, out, odd);
    for (int side = 0; side < 2; side++) {
        i32 allele = side ? odd->second : odd->first, reads = odd->reads[side];
        if (allele <= 0 || (side && odd->first == odd->second)) continue;
        i64 row = t->first_allele + allele - 1;
        out->carriers[row * REASONS + reason]++;
        if (t->use[allele - 1] != COUNTED || reason != CALLED) continue;
        i32 *into = het ? out->n_het : one ? out->n_hemi : out->n_homalt;
        into[row * c->strata + stratum]++;
        if (!by_two) out->tallies[(t->kind[allele - 1] * ZYGOSITIES + (het ? 0 : one ? 2 : 1)) * (i64)c->people + i]++;
        i64 *histogram = out->histograms + stratum * METRICS * BINS;
        if (t->has_gq && c->gq[i] >= 0) histogram[GQ_ALT * BINS + bin_of(c->gq[i])]++;
        if (t->has_dp && c->dp[i] >= 0) histogram[DP_ALT * BINS + bin_of(c->dp[i])]++;
        if (t->has_ad && t->has_dp && c->dp[i] > 0 && reads >= 0 && (c->mitochondrial || (het && !one)))
            histogram[SHARE_ALT * BINS + (reads >= c->dp[i] ? 19 : 20 * reads / c->dp[i])]++;
    }
}

/* Judge those who are 0/0: ok[i] says who is called. Returns 0 when nobody can be, whatever the genotype. */
static int judge_references(const Site *t, const Rules *c) {
    i64 n = c->people;
    u8 *restrict ok = c->ok;
    const i16 *gq = c->gq, *depth = t->reference && t->has_min_dp ? c->min_depth : c->dp;
    int has_depth = (t->reference && t->has_min_dp) || t->has_dp;
    if (!t->passes || (c->min_gq != NO_VALUE && !t->reference && !t->has_gq) || (c->asks_depth && !has_depth)) {
        memset(ok, 0, n);
        return 0;
    }
    memcpy(ok, c->present, n);
    if (c->min_gq != NO_VALUE && t->has_gq) for (i64 i = 0; i < n; i++) ok[i] &= gq[i] >= (i16)c->min_gq;
    if (c->asks_depth) for (i64 i = 0; i < n; i++) ok[i] &= depth[i] >= c->min_dp[i];
    return 1;
}

static void take_person(const Rules *c, i32 *dip, i32 *hap, i64 person) {
    (c->copies[person] == 2 ? dip : hap)[c->stratum[person]]--;
}

/* Everybody with a copy is called at a record, as a start. */
static void call_all(const Rules *c, Counts *out, i64 record) {
    i64 strata = c->strata, bytes = (c->people + 7) / 8;
    for (i64 s = 0; s < strata; s++) {
        out->n_dip[record * strata + s] = (i32)c->sizes[3 * s + 2];
        out->n_hap[record * strata + s] = (i32)c->sizes[3 * s + 1];
    }
    memcpy(out->called + record * bytes, c->present_bits, bytes);
}

/* Write who is called, as `ok` says. */
static void write_called(const Rules *c, Counts *out, i64 record) {
    i64 n = c->people, strata = c->strata, bytes = (n + 7) / 8;
    u8 *bits = out->called + record * bytes;
    call_all(c, out, record);
    for (i64 at = 0; at < bytes; at++) {
        u64 eight = 0;
        memcpy(&eight, c->ok + 8 * at, n - 8 * at < 8 ? n - 8 * at : 8);
        u32 mine = (u8)((eight * 0x0102040810204080ull) >> 56), absent = bits[at] & ~mine;
        bits[at] = (u8)mine;
        for (; absent; absent &= absent - 1)
            take_person(c, out->n_dip + record * strata, out->n_hap + record * strata, 8 * at + __builtin_ctz(absent));
    }
}

/* What was added up over the records of a call, and how full the sums of Rules are. */
typedef struct { i64 asked, called, weight, sum; } Totals;

INLINE i32 highest_of(const i16 *values, i64 n) {
    i16 highest = 0;
    for (i64 i = 0; i < n; i++) highest = values[i] > highest ? values[i] : highest;
    return highest;
}

/* Add a record with `weight` counted variants to the sums of everybody who is called there. */
INLINE void add_everybody(const Rules *c, u32 weight) {
    enum { SOME = 512 };
    u16 cell[SOME];
    for (i64 start = 0; start < c->people; start += SOME) {
        i64 n = c->people - start < SOME ? c->people - start : SOME;
        const u8 *restrict ok = c->ok + start;
        const i16 *restrict gq = c->gq + start, *restrict dp = c->dp + start;
        u16 *restrict n_called = c->n_called + start, *restrict n_gq = c->n_gq + start, *restrict n_dp = c->n_dp + start;
        u16 *restrict sum_gq = c->sum_gq + start, *restrict sum_dp = c->sum_dp + start;
#pragma GCC ivdep
        for (i64 i = 0; i < n; i++) {
            /* all bits for yes; v / 5 is v * 205 >> 10 up to 100 */
            u16 called = (u16)-ok[i], has_gq = called & (u16)-(gq[i] >= 0), has_dp = called & (u16)-(dp[i] >= 0);
            u16 g = (u16)((u16)((gq[i] < 100 ? gq[i] : 100) * 205) >> 10);
            u16 d = (u16)((u16)((dp[i] < 100 ? dp[i] : 100) * 205) >> 10);
            n_called[i] -= called;
            n_gq[i] -= has_gq;
            n_dp[i] -= has_dp;
            sum_gq[i] += has_gq & (u16)gq[i];
            sum_dp[i] += has_dp & (u16)dp[i];
            cell[i] = (u16)(((has_gq & g) | (~has_gq & BINS)) * SIDE + ((has_dp & d) | (~has_dp & BINS)));
        }
        for (i64 i = 0; i < n; i++) c->pairs[c->cell[start + i] + cell[i]] += weight;
    }
}

static void add_everybody_portable(const Rules *c, u32 weight) { add_everybody(c, weight); }
#if defined(__x86_64__)
AVX2 static void add_everybody_avx2(const Rules *c, u32 weight) { add_everybody(c, weight); }
#endif

static void empty_column(u16 *column, i64 n, i64 *into) {
    for (i64 i = 0; i < n; i++) into[i] += column[i];
    memset(column, 0, n * sizeof *column);
}

/* Add the sums to the tallies and histograms. */
static void empty_sums(const Rules *c, Counts *out, Totals *totals) {
    i64 n = c->people;
    if (!totals->weight) return;
    empty_column(c->n_called, n, out->tallies + N_CALLED * n);
    empty_column(c->n_gq, n, out->tallies + N_GQ * n);
    empty_column(c->sum_gq, n, out->tallies + SUM_GQ * n);
    empty_column(c->n_dp, n, out->tallies + N_DP * n);
    empty_column(c->sum_dp, n, out->tallies + SUM_DP * n);
    for (i64 s = 0; s < c->strata; s++) {
        i64 *gq = out->histograms + (s * METRICS + GQ_ALL) * BINS, *dp = out->histograms + (s * METRICS + DP_ALL) * BINS;
        const u32 *pairs = c->pairs + s * CELLS;
        for (i64 g = 0; g < SIDE; g++)
            for (i64 d = 0; d < SIDE; d++) {
                if (g < BINS) gq[g] += pairs[g * SIDE + d];
                if (d < BINS) dp[d] += pairs[g * SIDE + d];
            }
    }
    memset(c->pairs, 0, c->strata * CELLS * sizeof *c->pairs);
    totals->weight = totals->sum = 0;
}

/* Histograms and sums over everybody who is called at a record with counted variants. */
static void sum_qualities(const Site *t, const Rules *c, Counts *out, Totals *totals) {
    i32 gq = highest_of(c->gq, c->people), dp = highest_of(c->dp, c->people), highest = gq > dp ? gq : dp;
    if (totals->weight + t->counted > MOST_SITES || totals->sum + highest > MOST_SUM) empty_sums(c, out, totals);
    totals->weight += t->counted;
    totals->sum += highest;
    totals->asked++;
#if defined(__x86_64__)
    if (is_fast()) { add_everybody_avx2(c, (u32)t->counted); return; }
#endif
    add_everybody_portable(c, (u32)t->counted);
}

/* The carriers of ALTs of whom all are called: those that the rows say. */
static void write_carriers(const Site *t, const Rules *c, Counts *out) {
    for (i32 k = 0; k + 1 < t->alleles; k++) {
        i64 strata = c->strata, row = t->first_allele + k, all = 0;
        for (i64 s = 0; s < strata; s++) all += out->n_het[row * strata + s] + out->n_homalt[row * strata + s];
        out->carriers[row * REASONS + CALLED] += (i32)all;
    }
}

/* Genotypes alone, of diploid people, at a record that passes: most of a cohort file, in few instructions. */
static void count_plain_site(const Site *t, Rules *c, Counts *out, i64 record, i64 found) {
    i64 strata = c->strata, n = c->people;
    u8 *bits = out->called + record * ((n + 7) / 8);
    call_all(c, out, record);
    for (i64 k = 0; k < found; k++) {
        const Odd *odd = c->odd + k;
        i64 i = odd->person, stratum = c->stratum[i];
        i32 a = odd->first, b = odd->second;
        if (stratum < 0) continue;
        if (a < 0 || b < 0) {
            bits[i >> 3] &= (u8)~(1u << (i & 7));
            out->n_dip[record * strata + stratum]--;
            out->tallies[N_CALLED * n + i]--;
            tally_carrier(t, c, out, odd, reason_of(t, c, odd, 0));
            continue;
        }
        int hom = a == b;
        i32 *rows = (hom ? out->n_homalt : out->n_het) + (t->first_allele - 1) * strata + stratum;
        i32 high = a > b ? a : b, low = hom ? 0 : a + b - high;
        rows[high * strata]++;
        if (low) rows[low * strata]++;
        if (low && c->by_record) {
            tally_two_alts(t, c, out, odd);
            continue;
        }
        out->tallies[(t->kind[high - 1] * ZYGOSITIES + hom) * n + i]++;
        if (low) out->tallies[t->kind[low - 1] * ZYGOSITIES * n + i]++;
    }
    write_carriers(t, c, out);
}

static int is_plain(const Site *t, const Rules *c) {
    int nothing_asked = c->min_gq == NO_VALUE && !c->asks_depth && c->min_ab == NO_VALUE;
    return nothing_asked && !t->has_gq && !t->has_dp && !t->has_ad && t->counted && t->passes && c->everybody_diploid
           && t->counted == t->alleles - 1;
}

/* A plain record with one ALT, of whose people the `others` in `places` may not be 0/0; `pair_of` tells what they are.
 * Returns 0, with nothing written, when somebody is anything but diploid and called. */
INLINE int count_pairs(const Site *t, Rules *c, Counts *out, i64 record, i64 others, const u8 *cells, Pair pair_of,
                       Totals *totals) {
    if (others < 0 || t->alleles != 2 || !is_plain(t, c)) return 0;
    i64 strata = c->strata, n = c->people, row = t->first_allele * strata;
    int known = 1;
    u8 *alts_of = c->ok; /* of the others, in their order */
    for (i64 k = 0; k < others; k++) {
        int alts = pair_of(cells, c->places[k], n - 1);
        known &= alts != NO_PAIR;
        alts_of[k] = (u8)alts;
    }
    if (!known) return 0;
    call_all(c, out, record);
    i32 *rows[3] = {NULL, out->n_het + row, out->n_homalt + row};
    i64 *tallies = out->tallies + (t->kind[0] * ZYGOSITIES - 1) * n;
    for (i64 k = 0; k < others; k++) {
        i64 i = c->places[k], stratum = c->stratum[i], alts = alts_of[k];
        if (!alts || stratum < 0) continue;
        rows[alts][stratum]++;
        tallies[alts * n + i]++;
    }
    write_carriers(t, c, out);
    totals->asked++;
    totals->called++;
    return 1;
}

/* Count a record of which `found` people are not 0/0. Returns 0, with nothing written, when an AD is not understood. */
static int count_site(const Site *t, Rules *c, Counts *out, i64 record, i64 found, Totals *totals) {
    int plain = !t->has_gq && !t->has_dp;
    if (is_plain(t, c)) {
        count_plain_site(t, c, out, record, found);
        totals->asked++;
        totals->called++;
        return 1;
    }
    for (i64 k = 0; t->has_ad && k < found; k++)
        if (!take_reads(t, c->odd + k)) return 0;
    int whole_ad = t->has_ad && (!t->ad || t->ad->length == t->alleles);
    int possible = judge_references(t, c);
    for (i64 k = 0; k < found; k++) {
        const Odd *odd = c->odd + k;
        i64 i = odd->person;
        if (c->stratum[i] < 0) continue;
        int reason = reason_of(t, c, odd, whole_ad);
        c->ok[i] = reason == CALLED;
        tally_carrier(t, c, out, odd, reason);
        if (t->counted && plain && possible && reason != CALLED && reason != NO_COPY_HERE)
            out->tallies[N_CALLED * (i64)c->people + i]--;
    }
    if (possible) write_called(c, out, record);
    if (!t->counted || !t->passes) return 1;
    if (plain) {
        /* nothing but genotypes: everybody is asked and called, but for the few */
        totals->asked++;
        totals->called += possible;
    } else sum_qualities(t, c, out, totals);
    return 1;
}

/* Everybody with a copy was asked, and called at plain sites unless it was taken back there. */
static void add_totals(const Rules *c, Counts *out, Totals *totals) {
    i64 n = c->people;
    empty_sums(c, out, totals);
    for (i64 i = 0; i < n; i++) {
        out->tallies[N_ASKED * n + i] += c->present[i] * totals->asked;
        out->tallies[N_CALLED * n + i] += c->present[i] * totals->called;
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
    Totals totals = {0};
    int genotypes_only = c->gq_key == NOT_READ || c->dp_key == NOT_READ || c->min_dp_key == NOT_READ
                         || c->ad_key == NOT_READ;
    for (i64 r = from; r < to; r++) {
        if (s->status[r]) continue;
        Site t = {0};
        Layout l;
        const u8 *body = buffer + s->body[r], *end = buffer + s->line_end[r];
        int fields = layout_of(buffer + s->format[r], body - 1, &l);
        i64 found = -1;
        int declared = (l.gq < 0 || c->gq_key != NO_VALUE) && (l.dp < 0 || c->dp_key != NO_VALUE)
                       && (l.min_dp < 0 || c->min_dp_key != NO_VALUE) && (l.ad < 0 || c->ad_key != NO_VALUE);
        if (genotypes_only) l = (Layout){-1, -1, -1, -1, 0};
        if (fields && declared && alts_of(&t, s, r, use, kind)) {
            t.buffer = body;
            t.has_gq = l.gq >= 0; t.has_dp = l.dp >= 0; t.has_min_dp = l.min_dp >= 0; t.has_ad = l.ad >= 0;
            if (fields == 1) {
                i64 others = find_others(body, end, c);
                if (count_pairs(&t, c, out, r, others, body, pair_of_text, &totals)) continue;
                if (others >= 0) found = read_genotypes_only(body, end, t.alleles, others, c);
            }
            if (found < 0) found = read_samples(body, end, t.alleles, fields, &l, c);
        }
        if (found < 0 || !count_site(&t, c, out, r, found, &totals)) s->status[r] = NOT_UNDERSTOOD;
    }
    add_totals(c, out, &totals);
}

static int bcf_vectors(const u8 *p, const u8 *stop, i64 fields, const Rules *c, Vector *gt, Vector *gq, Vector *dp,
                       Vector *min_dp, Vector *ad) {
    for (i64 f = 0; f < fields; f++) {
        i64 key;
        Vector v;
        if (!typed_int(&p, stop, &key) || key < 0 || !typed_head(&p, stop, &v.type, &v.length)) return 0;
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
    Totals totals = {0};
    for (i64 r = from; r < to; r++) {
        if (s->status[r]) continue;
        Site t = {0};
        Vector gt = {0}, gq = {0}, dp = {0}, min_dp = {0}, ad = {0};
        i64 found = -1;
        if (bcf_vectors(buffer + s->body[r], buffer + s->line_end[r], s->format[r], c, &gt, &gq, &dp, &min_dp, &ad)
            && alts_of(&t, s, r, use, kind) && load_scalars(&gq, c->people, c->gq) && load_scalars(&dp, c->people, c->dp)
            && load_scalars(&min_dp, c->people, c->min_depth)) {
            t.has_gq = gq.at != NULL; t.has_dp = dp.at != NULL; t.has_min_dp = min_dp.at != NULL; t.has_ad = ad.at != NULL;
            if (t.has_ad) t.ad = &ad;
            i64 others = find_bcf_others(&gt, c);
            if (are_pairs(&gt) && count_pairs(&t, c, out, r, others, gt.at, pair_of_bcf, &totals)) continue;
            if (others >= 0) found = read_bcf_genotypes(&gt, t.alleles, others, c);
        }
        if (found < 0 || !count_site(&t, c, out, r, found, &totals)) s->status[r] = NOT_UNDERSTOOD;
    }
    add_totals(c, out, &totals);
}
