/* Runs of bases, of all strata, to the runs of each stratum: equal neighbours joined, zeros left out. */
enum { TRACK_COUNTS = 3 };

typedef struct {
    i64 strata, rows;
    i64 end;                  /* where the last run that was taken ends */
    i32 *start, *until, *stratum, *counts[TRACK_COUNTS]; /* the rows */
    i64 *open;                /* (strata,) the row that goes on, or NO_VALUE */
    i32 *here;                /* (strata, TRACK_COUNTS) what it counts */
} Track;

i64 tessera_track_layout(void) { return sizeof(Track); }

/* Take `runs` consecutive runs, whose counts are (runs, strata) each. */
void tessera_track(const i64 *starts, const i64 *ends, i64 runs, const i32 *const *counts, Track *t) {
    for (i64 run = 0; run < runs; run++) {
        for (i64 s = 0; s < t->strata; s++) {
            i64 at = run * t->strata + s;
            i32 *here = t->here + s * TRACK_COUNTS, any = 0, same = 1;
            for (int k = 0; k < TRACK_COUNTS; k++) {
                i32 count = counts[k][at];
                same &= count == here[k];
                any |= count;
                here[k] = count;
            }
            if (same) continue;
            if (t->open[s] != NO_VALUE) t->until[t->open[s]] = (i32)t->end;
            t->open[s] = NO_VALUE;
            if (!any) continue;
            i64 row = t->rows++;
            t->start[row] = (i32)starts[run];
            t->stratum[row] = (i32)s;
            for (int k = 0; k < TRACK_COUNTS; k++) t->counts[k][row] = here[k];
            t->open[s] = row;
        }
        t->end = ends[run];
    }
}

/* No more runs come. */
void tessera_track_ends(Track *t) {
    for (i64 s = 0; s < t->strata; s++)
        if (t->open[s] != NO_VALUE) t->until[t->open[s]] = (i32)t->end;
}
