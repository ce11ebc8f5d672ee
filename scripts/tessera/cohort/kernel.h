/* What the parts of the counting kernel share: its structures, as kernel.py has them, and small tools. */
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

typedef uint8_t u8;
typedef int16_t i16;
typedef uint16_t u16;
typedef int32_t i32;
typedef int64_t i64;
typedef uint32_t u32;
typedef uint64_t u64;

enum { MISSING = -1, ABSENT = -2, NO_VALUE = -1, NOT_READ = -2 };
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
/* by record: SNVs are of the first two classes; a record of which a person has two ALTs, one of them an SNV or an indel */
enum { SNV_CLASSES = 2, TWO_ALTS_SNV = 2, TWO_ALTS_INDEL = (CLASSES - 1) * ZYGOSITIES + 2 };
enum { MAX_ALLELE = 120, NOT_UNDERSTOOD = 1 };
/* the highest GQ, DP and MIN_DP that the kernel counts; what it may hold before it must add to the tallies */
enum { MAX_VALUE = 32766, MOST_SITES = 255, MOST_SUM = 65535 };
/* histograms of GQ and DP in one: a cell for each pair of bins, the last of each for who has no value or no call */
enum { SIDE = BINS + 1, CELLS = SIDE * SIDE };

typedef struct {
    i64 capacity, allele_capacity;
    i64 records, alleles, consumed;
    i64 *line, *line_end, *body, *ref, *format; /* offsets into the buffer; body is the first sample's column */
    i32 *pos, *ref_length, *first_allele, *passes, *status;
    i64 *end, *alt;
    i32 *alt_length;
} Scan;

/* A person who is not 0/0, and where the person's AD lies in text, or NO_VALUE; reads of `first` and `second` */
typedef struct { i32 person, first, second, ad, reads[2]; } Odd;

typedef struct {
    i32 people, strata, mitochondrial;
    i32 min_gq, min_ab; /* NO_VALUE: not asked; min_ab in thousandths */
    i32 asks_depth, everybody_diploid;
    i32 by_record;          /* a person's records are tallied, not variants; everybody is diploid */
    /* declared: the number in a BCF's dictionary; else NO_VALUE; or NOT_READ, whatever the file holds */
    i32 gq_key, dp_key, min_dp_key, ad_key, gt_key;
    const i32 *stratum;     /* (people,) or -1 for those who are not counted */
    const u8 *copies;       /* (people,) */
    const u8 *present;      /* (people,) 1 with a copy */
    const u8 *present_bits; /* ((people + 7) / 8,) the same as bits */
    const i16 *min_dp;      /* (people,) by their copies */
    const i32 *cell;        /* (people,) their stratum's first in `pairs` */
    const i64 *sizes;       /* (strata, 3) people with 0, 1, 2 copies */
    /* scratch, (people,) each */
    i16 *gq, *dp, *min_depth;
    u8 *ok;
    Odd *odd;
    i32 *places;            /* (people + 8,) where samples start in a line, or who may not be 0/0 */
    /* sums that wait for the tallies, (people,) each, and for the histograms, (strata, CELLS); 0 between calls */
    u16 *n_called, *n_gq, *sum_gq, *n_dp, *sum_dp;
    u32 *pairs;
} Rules;

typedef struct {
    i32 *n_dip, *n_hap;            /* (records, strata) */
    u8 *called;                    /* (records, (people + 7) / 8) */
    i32 *n_het, *n_homalt, *n_hemi; /* (alleles, strata) */
    i32 *carriers;                 /* (alleles, REASONS) */
    i64 *histograms;               /* (strata, METRICS, BINS) */
    i64 *tallies;                  /* (TALLIES, people) */
} Counts;

/* AVX2, and POPCNT and BMI1 that come with it. */
static int has_avx2(void) {
#if defined(__x86_64__)
    /* cpuid itself: __builtin_cpu_supports answers 0 in a library that zig links */
    static int known = -1;
    if (known < 0) {
        const u32 of_leaf_1 = 1u << 27 | 1u << 23, of_leaf_7 = 1u << 5 | 1u << 3;
        u32 a, b, c, d;
        known = __get_cpuid(1, &a, &b, &c, &d) && (c & of_leaf_1) == of_leaf_1
                && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & of_leaf_7) == of_leaf_7;
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

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,bmi,popcnt")))
#endif
/* for code that is compiled twice, once of it for AVX2 */
#define INLINE static inline __attribute__((always_inline))

static int portable_only = 0;

/* Whether to take the code for AVX2. */
static inline int is_fast(void) { return !portable_only && has_avx2(); }

static inline int is_base(u8 c) {
    switch (c | 32) {
    case 'a': case 'c': case 'g': case 't': case 'n': return 1;
    default: return 0;
    }
}

static inline int is_digit(u8 c) { return (u8)(c - '0') < 10; }

static int only_non_ref(const u8 *alt, i64 length) {
    return (length == 1 && *alt == '.') || (length == 3 && memcmp(alt, "<*>", 3) == 0)
           || (length == 9 && memcmp(alt, "<NON_REF>", 9) == 0);
}

static inline u32 load_u16(const u8 *p) { return p[0] | (u32)p[1] << 8; }
static inline u32 load_u32(const u8 *p) { u32 v; memcpy(&v, p, 4); return v; }

static inline void note_odd(Odd *odd, i64 person, i32 first, i32 second) {
    *odd = (Odd){(i32)person, first, second, NO_VALUE, {NO_VALUE, NO_VALUE}};
}

/* How many ALTs a person of a record with one ALT carries, by the person's number and the last person's; NO_PAIR where
 * the genotype is not of two alleles that are known. */
enum { NO_PAIR = 3 };
typedef int (*Pair)(const u8 *cells, i64 person, i64 last);

static inline void fill_missing(i16 *values, i64 n) { memset(values, 0xff, n * sizeof *values); } /* NO_VALUE */

#if defined(__x86_64__)
/* Write the places of the bits, the lowest being `first`, and up to three too many behind; how many bits there are. */
AVX2 static inline i64 write_places(u64 bits, i64 first, i32 *to) {
    i64 count = __builtin_popcountll(bits);
    for (i32 *at = to; bits; at += 4)
        for (int k = 0; k < 4; k++, bits &= bits - 1) at[k] = (i32)(first + (i64)_tzcnt_u64(bits));
    return count;
}
#endif
