
/*
 * Copyright (C) ngx_status_module authors
 *
 * The ladder's rings are arrays of bits: bucket b is entry b % n of its
 * ring, an entry is
 *
 *     lap | results | mean | min | max | largest | seconds of the others
 *
 * "lap" is b / n: an entry of another lap is somebody else's, that is empty.
 * A bucket's seconds are those of each state and those that history does not
 * cover: 8 numbers, whose sum is known.  So the largest need not be told, and
 * no other can be more than half of the bucket.  Zeroed: nothing covered.
 * Nothing is said about the order of writes, because no entry is read
 * before a cursor committed later has passed it.
 */


#include "ngx_status_rings.h"


#define NGX_STATUS_LAP_BITS      8
#define NGX_STATUS_LATENCY_BITS  12
#define NGX_STATUS_LARGEST_BITS  3       /* for NGX_STATUS_NSTATES + 1 */

/* bits of an entry up to its seconds, 64 at most; and of all of it */

#define ngx_status_rung_head(rung)                                            \
    (NGX_STATUS_LAP_BITS + (rung)->result_bits + 3 * NGX_STATUS_LATENCY_BITS)

#define ngx_status_rung_bits(rung)                                            \
    (ngx_status_rung_head(rung) + NGX_STATUS_LARGEST_BITS                     \
     + NGX_STATUS_NSTATES * (rung)->half_bits)


#define ngx_status_bits_mask(n)  (~(uint64_t) 0 >> (64 - (n)))

#define ngx_status_score_lap(r, level, number)                                \
    (uint8_t) ((number) / (r)->nscores[level] << 1 | 1)


static ngx_uint_t ngx_status_entry_find(const ngx_status_rings_t *r,
    ngx_uint_t level, int64_t number, size_t *at);
static size_t ngx_status_entry_claim(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number);
static void ngx_status_entry_add_seconds(const uint64_t *words, size_t at,
    const ngx_status_rung_t *rung, ngx_status_tally_t *tally);
static void ngx_status_entry_add_results(uint64_t head,
    const ngx_status_rung_t *rung, ngx_status_tally_t *tally);
static uint64_t ngx_status_bits_get(const uint64_t *words, size_t at,
    ngx_uint_t n);
static void ngx_status_bits_put(uint64_t *words, size_t at, ngx_uint_t n,
    uint64_t value);


const ngx_status_rung_t  ngx_status_rungs[NGX_STATUS_LADDER] = {
    { 60,     5, 10 },
    { 3600,  11, 16 },
    { 86400, 16, 20 }
};


void
ngx_status_rings_locate(const ngx_status_history_conf_t *conf,
    const void *rings, ngx_status_rings_t *r)
{
    size_t      bits;
    ngx_uint_t  i;
    uintptr_t   p;

    p = (uintptr_t) rings;

    r->nentries[NGX_STATUS_MINUTES] = conf->minutes;
    r->nentries[NGX_STATUS_HOURS] = conf->hours;
    r->nentries[NGX_STATUS_DAYS] = conf->days;

    r->nscores[NGX_STATUS_MINUTES] = 0;
    r->nscores[NGX_STATUS_HOURS] = conf->scores
                                   ? NGX_STATUS_HISTORY_SCORE_HOURS : 0;
    r->nscores[NGX_STATUS_DAYS] = conf->scores ? conf->days : 0;

    for (i = 0; i < NGX_STATUS_LADDER; i++) {
        bits = r->nentries[i] * ngx_status_rung_bits(&ngx_status_rungs[i]);
        r->entries[i] = (uint64_t *) p;

        /* and a word more, because two are read at a time */
        p += ((bits + 63) / 64 + 1) * sizeof(uint64_t);
    }

    for (i = 0; i < NGX_STATUS_BINS_RUNGS; i++) {
        r->bins[i] = (ngx_status_bins_entry_t *) p;
        p += ngx_status_bins_rungs[i].n * sizeof(ngx_status_bins_entry_t);
    }

    for (i = 0; i < NGX_STATUS_LADDER; i++) {
        r->scores[i] = (ngx_status_score_entry_t *) p;
        p += r->nscores[i] * sizeof(ngx_status_score_entry_t);
    }

    r->size = p - (uintptr_t) rings;
}


static ngx_uint_t
ngx_status_entry_find(const ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, size_t *at)
{
    size_t   entry;
    uint8_t  lap;

    entry = number % r->nentries[level];
    lap = number / r->nentries[level];

    *at = entry * ngx_status_rung_bits(&ngx_status_rungs[level]);

    return ngx_status_bits_get(r->entries[level], *at, NGX_STATUS_LAP_BITS)
           == lap;
}


static size_t
ngx_status_entry_claim(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number)
{
    size_t       at, end, bit;
    ngx_uint_t   n;

    if (!ngx_status_entry_find(r, level, number, &at)) {

        end = at + ngx_status_rung_bits(&ngx_status_rungs[level]);

        for (bit = at; bit < end; bit += n) {
            n = ngx_min(end - bit, 64);
            ngx_status_bits_put(r->entries[level], bit, n, 0);
        }

        ngx_status_bits_put(r->entries[level], at, NGX_STATUS_LAP_BITS,
                            number / r->nentries[level]);
    }

    return at;
}


void
ngx_status_rings_put_seconds(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, const uint32_t *seconds)
{
    size_t                    at;
    uint32_t                  parts[NGX_STATUS_NSTATES + 1];
    ngx_uint_t                i, largest;
    const ngx_status_rung_t  *rung;

    rung = &ngx_status_rungs[level];

    parts[0] = rung->seconds;
    largest = 0;

    for (i = 1; i <= NGX_STATUS_NSTATES; i++) {
        parts[i] = ngx_min(seconds[i - 1], parts[0]);
        parts[0] -= parts[i];
    }

    for (i = 1; i <= NGX_STATUS_NSTATES; i++) {
        if (parts[i] > parts[largest]) {
            largest = i;
        }
    }

    at = ngx_status_entry_claim(r, level, number);
    at += ngx_status_rung_head(rung);

    ngx_status_bits_put(r->entries[level], at, NGX_STATUS_LARGEST_BITS,
                        largest);
    at += NGX_STATUS_LARGEST_BITS;

    for (i = 0; i <= NGX_STATUS_NSTATES; i++) {
        if (i != largest) {
            ngx_status_bits_put(r->entries[level], at, rung->half_bits,
                                parts[i]);
            at += rung->half_bits;
        }
    }
}


void
ngx_status_rings_put_results(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, const ngx_status_tally_t *tally)
{
    size_t                    at;
    uint32_t                  n, mean;
    uint64_t                 *words;
    const ngx_status_rung_t  *rung;

    rung = &ngx_status_rungs[level];
    words = r->entries[level];

    n = ngx_min(tally->results, (1u << rung->result_bits) - 1);
    mean = tally->results
           ? (tally->sum + tally->results / 2) / tally->results : 0;

    at = ngx_status_entry_claim(r, level, number) + NGX_STATUS_LAP_BITS;

    ngx_status_bits_put(words, at, rung->result_bits, n);
    at += rung->result_bits;

    ngx_status_bits_put(words, at, NGX_STATUS_LATENCY_BITS,
                        ngx_status_float_code(mean, 7));
    at += NGX_STATUS_LATENCY_BITS;

    ngx_status_bits_put(words, at, NGX_STATUS_LATENCY_BITS,
                        ngx_status_float_code(tally->min, 7));
    at += NGX_STATUS_LATENCY_BITS;

    ngx_status_bits_put(words, at, NGX_STATUS_LATENCY_BITS,
                        ngx_status_float_code(tally->max, 7));
}


void
ngx_status_rings_clear_seconds(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number)
{
    size_t    at;
    uint32_t  nothing[NGX_STATUS_NSTATES];

    if (ngx_status_entry_find(r, level, number, &at)) {
        memset(nothing, 0, sizeof(nothing));
        ngx_status_rings_put_seconds(r, level, number, nothing);
    }
}


void
ngx_status_rings_clear_results(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number)
{
    size_t              at;
    ngx_status_tally_t  nothing;

    if (ngx_status_entry_find(r, level, number, &at)) {
        memset(&nothing, 0, sizeof(ngx_status_tally_t));
        ngx_status_rings_put_results(r, level, number, &nothing);
    }
}


void
ngx_status_rings_put_score(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, const ngx_status_score_tally_t *score)
{
    float                      values[4];
    ngx_status_score_entry_t  *entry;

    if (r->nscores[level] == 0 || score->n == 0) {
        return;
    }

    values[0] = score->first;
    values[1] = score->last;
    values[2] = score->min;
    values[3] = score->max;

    entry = &r->scores[level][number % r->nscores[level]];
    entry->lap = ngx_status_score_lap(r, level, number);
    ngx_memcpy(entry->values, values, sizeof(values));
}


void
ngx_status_rings_get_score(const ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number, ngx_status_score_tally_t *score)
{
    float                            values[4];
    const ngx_status_score_entry_t  *entry;

    memset(score, 0, sizeof(ngx_status_score_tally_t));

    if (r->nscores[level] == 0) {
        return;
    }

    entry = &r->scores[level][number % r->nscores[level]];

    if (entry->lap != ngx_status_score_lap(r, level, number)) {
        return;
    }

    ngx_memcpy(values, entry->values, sizeof(values));

    score->n = 1;
    score->first = values[0];
    score->last = values[1];
    score->min = values[2];
    score->max = values[3];
}


void
ngx_status_rings_clear_score(ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number)
{
    ngx_status_score_entry_t  *entry;

    entry = &r->scores[level][number % r->nscores[level]];

    if (entry->lap == ngx_status_score_lap(r, level, number)) {
        entry->lap = 0;
    }
}


ngx_uint_t
ngx_status_rings_has(const ngx_status_rings_t *r, ngx_uint_t level,
    int64_t number)
{
    size_t  at;

    return ngx_status_entry_find(r, level, number, &at);
}


void
ngx_status_rings_copy(const ngx_status_rings_t *from, ngx_status_rings_t *to,
    ngx_uint_t level, int64_t newest)
{
    size_t    at, dst, n, end;
    int64_t   number, kept;
    uint64_t  bits;

    kept = ngx_min(from->nentries[level], to->nentries[level]);

    for (number = ngx_max(newest - kept, 0); number < newest; number++) {

        if (!ngx_status_entry_find(from, level, number, &at)) {
            continue;
        }

        /* the lap is another one, the rest is the same */

        dst = ngx_status_entry_claim(to, level, number) + NGX_STATUS_LAP_BITS;
        end = at + ngx_status_rung_bits(&ngx_status_rungs[level]);

        for (at += NGX_STATUS_LAP_BITS; at < end; at += n, dst += n) {
            n = ngx_min(end - at, 64);
            bits = ngx_status_bits_get(from->entries[level], at, n);
            ngx_status_bits_put(to->entries[level], dst, n, bits);
        }
    }
}


static void
ngx_status_entry_add_seconds(const uint64_t *words, size_t at,
    const ngx_status_rung_t *rung, ngx_status_tally_t *tally)
{
    size_t      bit, end;
    uint32_t    part, left;
    uint64_t    others;
    ngx_uint_t  i, n, largest;

    at += ngx_status_rung_head(rung);

    largest = ngx_status_bits_get(words, at, NGX_STATUS_LARGEST_BITS);
    at += NGX_STATUS_LARGEST_BITS;

    left = rung->seconds;

    /* mostly it is all there is */

    end = at + NGX_STATUS_NSTATES * rung->half_bits;

    for (bit = at, others = 0; bit < end; bit += n) {
        n = ngx_min(end - bit, 64);
        others |= ngx_status_bits_get(words, bit, n);
    }

    for (i = 0; others && i <= NGX_STATUS_NSTATES; i++) {

        if (i == largest) {
            continue;
        }

        part = ngx_status_bits_get(words, at, rung->half_bits);
        at += rung->half_bits;
        left -= part;

        if (i) {
            tally->seconds[i - 1] += part;
        }
    }

    if (largest) {
        tally->seconds[largest - 1] += left;
    }
}


/* "head" is the entry up to its seconds; it fits into 64 bits. */

static void
ngx_status_entry_add_results(uint64_t head, const ngx_status_rung_t *rung,
    ngx_status_tally_t *tally)
{
    ngx_uint_t          code;
    ngx_status_tally_t  add;

    head >>= NGX_STATUS_LAP_BITS;
    add.results = head & ngx_status_bits_mask(rung->result_bits);

    if (add.results == 0) {
        return;
    }

    head >>= rung->result_bits;
    code = head & ngx_status_bits_mask(NGX_STATUS_LATENCY_BITS);
    add.sum = (uint64_t) add.results * ngx_status_float_value(code, 7);

    head >>= NGX_STATUS_LATENCY_BITS;
    code = head & ngx_status_bits_mask(NGX_STATUS_LATENCY_BITS);
    add.min = ngx_status_float_value(code, 7);

    head >>= NGX_STATUS_LATENCY_BITS;
    add.max = ngx_status_float_value(head, 7);

    ngx_status_tally_add(tally, &add);
}


void
ngx_status_rings_add(const ngx_status_rings_t *r,
    const ngx_status_history_open_t *open, ngx_uint_t level, int64_t from,
    int64_t to, ngx_status_tally_t *tally)
{
    size_t                    at, bits;
    int64_t                   n, first, last, times, results, kept;
    uint8_t                   lap;
    uint64_t                  head, *words;
    ngx_uint_t                i;
    const ngx_status_rung_t  *rung;

    rung = &ngx_status_rungs[level];
    words = r->entries[level];
    kept = r->nentries[level];

    times = open->time_cursor / rung->seconds;
    results = open->result_cursor / rung->seconds;

    if (from <= times && times < to) {
        for (i = 0; i < NGX_STATUS_NSTATES; i++) {
            tally->seconds[i] += open->tallies[level].seconds[i];
        }
    }

    if (from <= results && results < to) {
        ngx_status_tally_add(tally, &open->tallies[level]);
    }

    first = ngx_max(from, ngx_max(times, results) - kept);
    last = ngx_min(to, ngx_max(times, results));

    bits = ngx_status_rung_bits(rung);
    at = first % kept * bits;
    lap = first / kept;

    for (n = first; n < last; n++) {

        head = ngx_status_bits_get(words, at, ngx_status_rung_head(rung));

        if ((uint8_t) head == lap) {

            if (n < times) {
                ngx_status_entry_add_seconds(words, at, rung, tally);
            }

            if (n < results) {
                ngx_status_entry_add_results(head, rung, tally);
            }
        }

        at += bits;

        if (at == kept * bits) {
            at = 0;
            lap++;
        }
    }
}


void
ngx_status_tally_add(ngx_status_tally_t *tally,
    const ngx_status_tally_t *add)
{
    if (add->results == 0) {
        return;
    }

    if (tally->results == 0) {
        tally->min = add->min;
        tally->max = add->max;
    }

    tally->min = ngx_min(tally->min, add->min);
    tally->max = ngx_max(tally->max, add->max);
    tally->results += add->results;
    tally->sum += add->sum;
}


ngx_uint_t
ngx_status_float_code(uint32_t value, ngx_uint_t mantissa)
{
    uint64_t    v;
    ngx_uint_t  shift;

    v = value;

    for (shift = 0; v >> (shift + mantissa + 1); shift++) { /* void */ }

    if (shift == 0) {
        return value;
    }

    /* rounding up to the next power of two carries into the exponent */

    v = (v + (1u << (shift - 1))) >> shift;

    return (shift << mantissa) + v;
}


uint32_t
ngx_status_float_value(ngx_uint_t code, ngx_uint_t mantissa)
{
    uint64_t    v;
    ngx_uint_t  shift;

    if (code >> (mantissa + 1) == 0) {
        return code;
    }

    shift = (code >> mantissa) - 1;
    v = (uint64_t) (code - (shift << mantissa)) << shift;

    return ngx_min(v, 0xffffffff);
}


static uint64_t
ngx_status_bits_get(const uint64_t *words, size_t at, ngx_uint_t n)
{
    uint64_t  v;

    words += at / 64;
    at %= 64;

    v = words[0] >> at | words[1] << 1 << (63 - at);

    return v & ngx_status_bits_mask(n);
}


static void
ngx_status_bits_put(uint64_t *words, size_t at, ngx_uint_t n, uint64_t value)
{
    uint64_t  mask;

    words += at / 64;
    at %= 64;

    mask = ngx_status_bits_mask(n);
    value &= mask;

    words[0] = (words[0] & ~(mask << at)) | value << at;
    words[1] = (words[1] & ~(mask >> 1 >> (63 - at))) | value >> 1 >> (63 - at);
}
