/* The search of one query: its place among the lists; codes, candidates, doubt, exact distances. `kernel.py` says what goes in and out, `codes.py` what the
   codes are, `walking.py` which lists are looked at.

   What numpy and faiss do in some twenty calls, each waiting for memory that the one before has thrown out of the caches, is done here in one pass: rows are
   fetched ahead, and float64 sums cost nothing beside the waiting. It is taken where the compiler of the installation has made it and the processor has AVX2,
   FMA and F16C; elsewhere the calls remain.

   Nothing here is kept between calls, and no argument but the outputs is written to. */

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { COSINE, DOT, L2_SQUARED };              /* `METRICS` in kernel.py */
enum { TOO_FEW = -1, TOO_SHALLOW = -2, NO_MEMORY = -3 };

#define POINTS 16    /* of each pair of dimensions */
#define BLOCK 32     /* codes that lie together */
#define ROUNDING 1e-5
#define FOREKNOWN 1  /* `_FOREKNOWN` in planner.py */
#define COSINE_NOISE 1e-12

typedef struct {
    const uint8_t *const *codes; /* by list: blocks of 32 codes, 32 bytes for each two pairs (faiss's layout for 4 bits) */
    const int64_t *const *slots; /* by list */
    const int64_t *sizes;        /* by list */
    const float *points;         /* (pairs, 16, 2) */
    const float *squares;        /* by list: the mean squared distance of its vectors to its centre */
    const float *deviations;     /* by list: the standard deviation of that */
    int64_t pairs;
    int64_t inner_product;
} Lists;

typedef struct {
    const uint16_t *directions; /* (kept, dims) float16 */
    const float *mean;          /* (dims,); NULL where queries keep it */
    const uint16_t *centres;    /* (lists, kept) float16, divided by `scale` */
    const float *half_squares;  /* by list: half of the squared length of its centre */
    double scale;
    int64_t dims;
    int64_t kept;
    int64_t lists;
    int64_t unit; /* whether queries are brought to unit length */
} Space;

typedef struct {
    double squared; /* length of the projection */
    double energy;  /* its share of the query's squared length */
} Figures;

typedef struct {
    const float *matrix; /* (rows, dims) */
    int64_t rows;
    int64_t dims;
    int64_t metric;
} Stored;

typedef struct {
    const float *projected;   /* (2 * pairs,) */
    const float *vector;      /* (dims,) */
    const int64_t *lists;     /* numbers of the lists that hold what passes, nearest first */
    const float *nearness;    /* by list: greater is nearer */
    int64_t lists_count;
    double squared;           /* length of `projected` */
    const uint8_t *allowed;   /* bitmap over slots; NULL for all */
    int64_t allowed_bytes;
    const int64_t *missed;    /* slots that the index does not cover */
    int64_t missed_count;
    int64_t wanted;           /* hits */
    int64_t needed;           /* at least so many must be found */
    int64_t asked;            /* candidates at most */
    int64_t first;            /* candidates measured at first */
    int64_t sure;             /* lists that are looked at in any case */
    int64_t is_last;          /* whether the best there is will do, where a hit may stand beyond the last candidate */
    int64_t rank;             /* the candidate that the other lists must come up to */
    double reach;             /* deviations by which a member of a list may be nearer than usual */
    double tolerated;         /* hits that may be missed, on average */
    double noise;             /* the mean squared error of a code for each unit of its distance; under an inner product, of `squared` */
} Question;

int64_t nearimage_version(void) { return 8; } /* `_VERSION` in kernel.py */

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#define FAST __attribute__((target("avx2,fma,f16c")))

int64_t nearimage_is_supported(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); } /* all of which have F16C */

/* ---- exact distances: each row summed in float64 by itself, so that equal rows have equal distances wherever they stand */

FAST static inline double sum_of(__m256d a, __m256d b) {
    __m256d both = _mm256_add_pd(a, b);
    __m128d half = _mm_add_pd(_mm256_castpd256_pd128(both), _mm256_extractf128_pd(both, 1));
    return _mm_cvtsd_f64(half) + _mm_cvtsd_f64(_mm_unpackhi_pd(half, half));
}

FAST static double product(const float *row, const double *query, int64_t dims, double *squared) {
    __m256d p0 = _mm256_setzero_pd(), p1 = p0, s0 = p0, s1 = p0;
    int64_t d = 0;
    for (; d + 8 <= dims; d += 8) {
        __m256d a = _mm256_cvtps_pd(_mm_loadu_ps(row + d)), b = _mm256_cvtps_pd(_mm_loadu_ps(row + d + 4));
        p0 = _mm256_fmadd_pd(a, _mm256_loadu_pd(query + d), p0);
        p1 = _mm256_fmadd_pd(b, _mm256_loadu_pd(query + d + 4), p1);
        s0 = _mm256_fmadd_pd(a, a, s0);
        s1 = _mm256_fmadd_pd(b, b, s1);
    }
    double found = sum_of(p0, p1), own = sum_of(s0, s1);
    for (; d < dims; d++) {
        found += (double)row[d] * query[d];
        own += (double)row[d] * row[d];
    }
    *squared = own;
    return found;
}

FAST static double squared_distance(const float *row, const double *query, int64_t dims) {
    __m256d s0 = _mm256_setzero_pd(), s1 = s0;
    int64_t d = 0;
    for (; d + 8 <= dims; d += 8) {
        __m256d a = _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(row + d)), _mm256_loadu_pd(query + d));
        __m256d b = _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(row + d + 4)), _mm256_loadu_pd(query + d + 4));
        s0 = _mm256_fmadd_pd(a, a, s0);
        s1 = _mm256_fmadd_pd(b, b, s1);
    }
    double found = sum_of(s0, s1);
    for (; d < dims; d++) found += ((double)row[d] - query[d]) * ((double)row[d] - query[d]);
    return found;
}

static double squared_sum(const float *numbers, int64_t count) {
    double found = 0;
    for (int64_t i = 0; i < count; i++) found += (double)numbers[i] * numbers[i];
    return found;
}

static inline void fetch(const Stored *stored, int64_t slot) {
    const char *row = (const char *)(stored->matrix + slot * stored->dims);
    int64_t bytes = stored->dims * (int64_t)sizeof(float);
    for (int64_t at = 0; at < bytes && at < 4096; at += 64) __builtin_prefetch(row + at); /* beyond, the processor has seen where this leads */
}

/* The distances of some slots, as `nearimage.domain.vectors.exact_distances` defines them. */
FAST static void measure(const Stored *stored, const int64_t *slots, int64_t count, const double *query, double length, float *out) {
    if (count) fetch(stored, slots[0]);
    for (int64_t i = 0; i < count; i++) {
        if (i + 1 < count) fetch(stored, slots[i + 1]);
        const float *row = stored->matrix + slots[i] * stored->dims;
        double own, found;
        if (stored->metric == L2_SQUARED) {
            found = squared_distance(row, query, stored->dims);
        } else {
            found = product(row, query, stored->dims, &own);
            if (stored->metric == DOT) {
                found = -found;
            } else {
                double scale = sqrt(own) * length;
                found = 1 - (scale > 0 ? found / scale : 0);
                found = found < COSINE_NOISE ? 0 : found > 2 ? 2 : found;
            }
        }
        out[i] = (float)found;
    }
}

/* (dims,) float64 of a query; to be freed. */
static double *widened(const float *query, int64_t dims) {
    double *wide = malloc((size_t)dims * sizeof(double));
    if (wide)
        for (int64_t d = 0; d < dims; d++) wide[d] = query[d];
    return wide;
}

int64_t nearimage_measure(const Stored *stored, const int64_t *slots, int64_t count, const float *vector, float *out) {
    double *query = widened(vector, stored->dims);
    if (!query) return NO_MEMORY;
    measure(stored, slots, count, query, sqrt(squared_sum(vector, stored->dims)), out);
    free(query);
    return count;
}

/* ---- the query in the index's space, and the lists in order. Half of a float's bits are half of the waiting, and more than the codes keep */

/* The products of some rows with a query, whose length is a multiple of 8 or is filled up with zeros; rows are read to their end only. */
FAST static void products(const uint16_t *rows, int64_t count, int64_t dims, const float *query, float *out) {
    for (int64_t i = 0; i < count; i++) {
        const uint16_t *row = rows + i * dims;
        __m256 a = _mm256_setzero_ps(), b = a;
        int64_t d = 0;
        for (; d + 16 <= dims; d += 16) {
            a = _mm256_fmadd_ps(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(row + d))), _mm256_loadu_ps(query + d), a);
            b = _mm256_fmadd_ps(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(row + d + 8))), _mm256_loadu_ps(query + d + 8), b);
        }
        a = _mm256_add_ps(a, b);
        __m128 four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
        four = _mm_add_ps(four, _mm_movehl_ps(four, four));
        float found = _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
        for (; d < dims; d++) found += _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(row[d]))) * query[d];
        out[i] = found;
    }
}

/* By the bits from one on to another, ascending, a byte a pass; `spare` has as much room, and the result is where `keys` says. */
static void sort_by(uint64_t **keys, uint64_t **spare, int64_t count, int from, int to) {
    for (int shift = from; shift < to; shift += 8) {
        int64_t places[257] = {0};
        for (int64_t i = 0; i < count; i++) places[(((*keys)[i] >> shift) & 255) + 1]++;
        for (int b = 0; b < 256; b++) places[b + 1] += places[b];
        for (int64_t i = 0; i < count; i++) (*spare)[places[((*keys)[i] >> shift) & 255]++] = (*keys)[i];
        uint64_t *swapped = *keys;
        *keys = *spare;
        *spare = swapped;
    }
}

/* `counts` says how many pass in each list; NULL for no filter. `order` gets the lists that hold what passes, nearest first. */
FAST int64_t nearimage_place(const Space *space, const float *vector, const int64_t *counts, float *projected, float *nearness, int64_t *order,
                             Figures *figures) {
    float *query = calloc((size_t)space->dims + 1, sizeof(float));
    uint64_t *memory = malloc((size_t)space->lists * 2 * sizeof(uint64_t)), *keys = memory, *spare = memory + space->lists;
    if (!query || !memory) {
        free(query);
        free(memory);
        return NO_MEMORY;
    }
    float factor = space->unit ? (float)(1 / sqrt(squared_sum(vector, space->dims))) : 1;
    for (int64_t d = 0; d < space->dims; d++) query[d] = vector[d] * factor - (space->mean ? space->mean[d] : 0);
    products(space->directions, space->kept, space->dims, query, projected);
    products(space->centres, space->lists, space->kept, projected, nearness);
    double whole = squared_sum(query, space->dims);
    figures->squared = squared_sum(projected, space->kept);
    figures->energy = whole > 0 ? figures->squared / whole : 1;
    int64_t count = 0;
    for (int64_t list = 0; list < space->lists; list++) {
        nearness[list] = nearness[list] * (float)space->scale - space->half_squares[list];
        if (counts && !counts[list]) continue;
        uint32_t bits;
        memcpy(&bits, nearness + list, sizeof bits);
        bits = bits >> 31 ? bits : ~bits & 0x7fffffff; /* ascending bits are descending numbers */
        keys[count++] = (uint64_t)bits << 32 | (uint64_t)list;
    }
    sort_by(&keys, &spare, count, 32, 64);
    for (int64_t i = 0; i < count; i++) order[i] = (int64_t)(keys[i] & 0xffffffff);
    free(query);
    free(memory);
    return count;
}

/* ---- codes: distances from each pair of the query to its 16 points in bytes, looked up 32 codes at a time */

typedef struct {
    double scale; /* a distance is offset + sum / scale */
    double offset;
} Steps;

/* `table` is (pairs rounded up to two, 16) bytes; of a pair that does not exist all are zero. */
static Steps tabulate(const Lists *lists, const float *query, uint8_t *table, float *exact) {
    double offset = 0, widest = 0, sum = 0;
    for (int64_t pair = 0; pair < lists->pairs; pair++) {
        const float *points = lists->points + pair * POINTS * 2;
        float a = query[2 * pair], b = query[2 * pair + 1], least = FLT_MAX, most = -FLT_MAX, *row = exact + pair * POINTS;
        for (int p = 0; p < POINTS; p++) {
            float x = points[2 * p], y = points[2 * p + 1];
            row[p] = lists->inner_product ? -(a * x + b * y) : (a - x) * (a - x) + (b - y) * (b - y);
            least = row[p] < least ? row[p] : least;
            most = row[p] > most ? row[p] : most;
        }
        for (int p = 0; p < POINTS; p++) row[p] -= least;
        offset += least;
        widest = most - least > widest ? most - least : widest;
        sum += most - least;
    }
    double scale = 1;
    if (widest > 0) { /* sums must fit 16 bits, each rounded up by at most a half */
        scale = 255 / widest;
        double all = (double)(65535 - lists->pairs) / sum;
        scale = all < scale ? all : scale;
    }
    for (int64_t at = 0; at < lists->pairs * POINTS; at++) table[at] = (uint8_t)((float)(exact[at] * (float)scale) + 0.5f);
    if (lists->pairs % 2) memset(table + lists->pairs * POINTS, 0, POINTS);
    return (Steps){scale, offset};
}

/* The nearest codes so far: sums in the upper 16 bits, slots below, so that one comparison orders both. */
typedef struct {
    uint64_t *keys;
    uint64_t *spare;
    int64_t count, asked, capacity;
    uint16_t below; /* only sums below it are of interest */
    int is_open;    /* until so many were found, all are */
} Nearest;

#define SUM(key) ((uint16_t)((key) >> 48))
#define SLOT(key) ((int64_t)((key) & 0xffffffffffffULL))

/* By sums, ascending. */
static void sort(Nearest *nearest) { sort_by(&nearest->keys, &nearest->spare, nearest->count, 48, 64); }

static void shrink(Nearest *nearest) {
    sort(nearest);
    if (nearest->count < nearest->asked) return;
    nearest->count = nearest->asked;
    nearest->below = SUM(nearest->keys[nearest->asked - 1]);
    nearest->is_open = 0;
}

/* Whether a member of the list may be as near as `limit`; `deviations` in walking.py says why. */
static int may_hold(const Lists *lists, const Question *question, int64_t list, double limit) {
    double usual, variance, kept = 2.0 * (double)lists->pairs, squares = lists->squares[list];
    if (lists->inner_product) {
        usual = -question->nearness[list];
        variance = 2 * question->squared * squares / kept;
    } else {
        double away = question->squared - 2 * question->nearness[list];
        away = away > 0 ? away : 0;
        usual = away + squares;
        variance = 8 * away * squares / kept + (double)lists->deviations[list] * lists->deviations[list];
    }
    return usual - limit <= question->reach * sqrt(variance > FLT_MIN ? variance : FLT_MIN);
}

/* Look at some lists. While a block is looked at, the one after it comes into the caches: lists lie anywhere. */
FAST static void scan(const Lists *lists, const Question *question, const int64_t *some_lists, int64_t count, int64_t rows, const uint8_t *table,
                      Nearest *nearest) {
    const __m256i low = _mm256_set1_epi8(15);
    int64_t steps = (lists->pairs + 1) / 2;
    for (int64_t n = 0; n < count; n++) {
        int64_t list = some_lists[n], size = lists->sizes[list];
        const uint8_t *block = lists->codes[list], *other = n + 1 < count ? lists->codes[some_lists[n + 1]] : block;
        const int64_t *slots = lists->slots[list];
        for (int64_t start = 0; start < size; start += BLOCK, block += steps * BLOCK) {
            const uint8_t *next = start + BLOCK < size ? block + steps * BLOCK : other;
            __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
            for (int64_t step = 0; step < steps; step++) {
                __m256i codes = _mm256_loadu_si256((const __m256i *)(block + step * BLOCK));
                __m256i tables = _mm256_loadu_si256((const __m256i *)(table + step * BLOCK));
                __m256i first = _mm256_shuffle_epi8(tables, _mm256_and_si256(codes, low));
                __m256i second = _mm256_shuffle_epi8(tables, _mm256_and_si256(_mm256_srli_epi16(codes, 4), low));
                __builtin_prefetch(next + step * BLOCK);
                a = _mm256_add_epi16(a, first);
                b = _mm256_add_epi16(b, _mm256_srli_epi16(first, 8));
                c = _mm256_add_epi16(c, second);
                d = _mm256_add_epi16(d, _mm256_srli_epi16(second, 8));
            }
            a = _mm256_sub_epi16(a, _mm256_slli_epi16(b, 8));
            c = _mm256_sub_epi16(c, _mm256_slli_epi16(d, 8));
            /* the lower lanes hold the even pairs' sums, the upper ones the odd pairs' */
            __m256i near = _mm256_add_epi16(_mm256_permute2x128_si256(a, b, 0x20), _mm256_permute2x128_si256(a, b, 0x31));
            __m256i far = _mm256_add_epi16(_mm256_permute2x128_si256(c, d, 0x20), _mm256_permute2x128_si256(c, d, 0x31));
            uint32_t some = ~0u;
            if (!nearest->is_open) {
                if (!nearest->below) continue;
                __m256i limit = _mm256_set1_epi16((short)(nearest->below - 1));
                __m256i is_near = _mm256_cmpeq_epi16(_mm256_min_epu16(near, limit), near);
                __m256i is_far = _mm256_cmpeq_epi16(_mm256_min_epu16(far, limit), far);
                __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(is_near, is_far), 0xd8);
                some = (uint32_t)_mm256_movemask_epi8(packed);
            }
            if (size - start < BLOCK) some &= (1u << (size - start)) - 1;
            if (!some) continue;
            uint16_t sums[BLOCK];
            _mm256_storeu_si256((__m256i *)sums, near);
            _mm256_storeu_si256((__m256i *)(sums + 16), far);
            for (; some; some &= some - 1) {
                int place = __builtin_ctz(some);
                int64_t slot = slots[start + place];
                if (slot < 0 || slot >= rows) continue;
                if (question->allowed && (slot >> 3 >= question->allowed_bytes || !(question->allowed[slot >> 3] >> (slot & 7) & 1))) continue;
                nearest->keys[nearest->count++] = (uint64_t)sums[place] << 48 | (uint64_t)slot;
                if (nearest->count == nearest->capacity) shrink(nearest);
            }
        }
    }
}

/* The sure lists; then, once `rank` candidates are known, those of the others that may hold one as near. */
static void scan_lists(const Lists *lists, const Question *question, int64_t rows, const uint8_t *table, Steps steps, int64_t *chosen, Nearest *nearest) {
    int64_t done = question->sure < question->lists_count ? question->sure : question->lists_count, count = 0;
    scan(lists, question, question->lists, done, rows, table, nearest);
    for (; done < question->lists_count && nearest->count < question->rank; done++) scan(lists, question, question->lists + done, 1, rows, table, nearest);
    if (done == question->lists_count) return;
    shrink(nearest);
    double limit = steps.offset + SUM(nearest->keys[question->rank - 1]) / steps.scale;
    for (; done < question->lists_count; done++)
        if (may_hold(lists, question, question->lists[done], limit)) chosen[count++] = question->lists[done];
    scan(lists, question, chosen, count, rows, table, nearest);
}

/* ---- the whole search */

/* The distance of the `wanted`-th nearest, or of the last; `copy` has room for all. */
static float farthest_of(const float *distances, int64_t count, int64_t wanted, float *copy) {
    memcpy(copy, distances, (size_t)count * sizeof(float));
    if (wanted > count) wanted = count;
    for (int64_t left = 0, right = count - 1; left < right;) { /* Hoare's selection */
        float pivot = copy[wanted - 1];
        int64_t i = left, j = right;
        while (i <= j) {
            while (copy[i] < pivot) i++;
            while (pivot < copy[j]) j--;
            if (i <= j) {
                float swapped = copy[i];
                copy[i++] = copy[j];
                copy[j--] = swapped;
            }
        }
        if (j < wanted - 1) left = i;
        if (wanted - 1 < i) right = j;
    }
    return copy[wanted - 1];
}

/* The share of a normal distribution below t deviations. */
static double below(double t) { return erfc(-t * 0.7071067811865476) / 2; }

/* Whether hardly a vector beyond the candidates belongs to the answer; `is_deep_enough` in planner.py says why. */
static int is_deep_enough(const Lists *lists, const Question *question, const float *measured, const uint64_t *keys, int64_t taken, Steps steps, double unit,
                          float farthest) {
    double mean = 0, squares = 0, seen = 1, last = steps.offset + SUM(keys[taken - 1]) / steps.scale;
    int64_t half = taken / 2, count = taken - half;
    for (int64_t i = half; i < taken; i++) {
        double error = unit * measured[i] - (steps.offset + SUM(keys[i]) / steps.scale);
        mean += error;
        squares += error * error;
        seen += i > half && SUM(keys[i]) != SUM(keys[i - 1]);
    }
    mean /= (double)count;
    double variance = squares / (double)count - mean * mean, least = last + mean, hit = unit * farthest;
    double usual = question->noise * (lists->inner_product ? question->squared : last > 0 ? last : 0);
    double deviation = sqrt((seen * (variance > 0 ? variance : 0) + FOREKNOWN * usual) / (seen + FOREKNOWN) * (1 + 1 / seen));
    double size = fabs(least) > fabs(hit) ? fabs(least) : fabs(hit);
    double spare = least - hit + ROUNDING * size;
    if (spare < 0 || deviation == 0) return spare >= 0;
    double t = spare / deviation, span = (SUM(keys[taken - 1]) - SUM(keys[half])) / steps.scale;
    double growth = log((double)taken / (double)(half > 1 ? half : 1)) * deviation / (span > ROUNDING * size ? span : ROUNDING * size);
    if (growth >= 2 * t) return 0; /* more are expected than there are candidates */
    double beyond = exp(growth * (growth / 2 - t)) * below(growth - t) - below(-t);
    return (double)taken * beyond <= question->tolerated;
}

static int64_t search(const Lists *lists, const Stored *stored, const Question *question, uint64_t *keys, int64_t *chosen, uint8_t *table, float *exact,
                      const double *query, int64_t *slots, float *distances) {
    int64_t missed = question->missed_count, asked = question->asked;
    Nearest nearest = {.keys = keys, .spare = keys + 2 * asked, .asked = asked, .capacity = 2 * asked, .below = UINT16_MAX, .is_open = 1};
    Steps steps = tabulate(lists, question->projected, table, exact);
    scan_lists(lists, question, stored->rows, table, steps, chosen, &nearest);
    sort(&nearest);
    int64_t found = nearest.count < asked ? nearest.count : asked;
    if (found + missed < question->needed) return TOO_FEW;

    double length = sqrt(squared_sum(question->vector, stored->dims)), unit = stored->metric == COSINE ? 2 : 1; /* |a - b|^2 = 2 (1 - cos) for unit vectors */
    if (missed) memcpy(slots, question->missed, (size_t)missed * sizeof(int64_t));
    for (int64_t i = 0; i < found; i++) slots[missed + i] = SLOT(nearest.keys[i]);
    float *copy = distances + missed + asked;
    for (int64_t done = 0, taken = question->first;; taken = taken + taken / 2 < asked ? taken + taken / 2 : asked) {
        int64_t here = taken < found ? taken : found, all = missed + here;
        measure(stored, slots + done, all - done, query, length, distances + done);
        done = all;
        float farthest = farthest_of(distances, all, question->wanted, copy);
        if ((taken >= found && found < asked) || (taken >= asked && question->is_last) ||
            is_deep_enough(lists, question, distances + missed, nearest.keys, here, steps, unit, farthest)) {
            int64_t kept = 0;
            for (int64_t i = 0; i < all; i++) {
                if (distances[i] > farthest) continue;
                slots[kept] = slots[i];
                distances[kept++] = distances[i];
            }
            return kept;
        }
        if (taken >= asked) return TOO_SHALLOW;
    }
}

/* `slots` has room for missed and asked, `distances` for twice as many. */
int64_t nearimage_search(const Lists *lists, const Stored *stored, const Question *question, int64_t *slots, float *distances) {
    uint64_t *keys = malloc((size_t)question->asked * 4 * sizeof(uint64_t));
    int64_t *chosen = malloc((size_t)(question->lists_count + 1) * sizeof(int64_t));
    uint8_t *table = malloc((size_t)(lists->pairs + 1) * POINTS);
    float *exact = malloc((size_t)lists->pairs * POINTS * sizeof(float));
    double *query = widened(question->vector, stored->dims);
    int64_t found = NO_MEMORY;
    if (keys && chosen && table && exact && query) found = search(lists, stored, question, keys, chosen, table, exact, query, slots, distances);
    free(keys);
    free(chosen);
    free(table);
    free(exact);
    free(query);
    return found;
}

#else

int64_t nearimage_is_supported(void) { return 0; }

int64_t nearimage_measure(const Stored *stored, const int64_t *slots, int64_t count, const float *vector, float *out) { return NO_MEMORY; }

int64_t nearimage_place(const Space *space, const float *vector, const int64_t *counts, float *projected, float *nearness, int64_t *order, Figures *figures) {
    return NO_MEMORY;
}

int64_t nearimage_search(const Lists *lists, const Stored *stored, const Question *question, int64_t *slots, float *distances) { return NO_MEMORY; }

#endif
