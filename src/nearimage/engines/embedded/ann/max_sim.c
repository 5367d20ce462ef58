/* MaxSim of one query over many objects, roughly: by vectors of unit length in float16, half as many bytes to wait for. `multi_vectors.py` says what for.

   Four of the query's vectors and two of the object's are taken at a time, so that each number that was loaded is used more than once. */

#include <math.h>
#include <stdint.h>

enum { COSINE, DOT, L2_SQUARED }; /* `METRICS` in kernel.py */

typedef struct {
    const uint16_t *units; /* (n, dims) float16, of unit length or zero */
    const float *norms;    /* (n,) how long they were */
    int64_t dims;          /* a multiple of 8 */
    int64_t metric;
} Kept;

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#define FAST __attribute__((target("avx2,fma,f16c")))

FAST static inline __m256 numbers_at(const uint16_t *units) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)units)); }

FAST static inline __m128 sums_of(__m256 a, __m256 b, __m256 c, __m256 d) {
    __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
}

/* What four products with unit vectors say of one vector: greater is nearer. Under l2-squared the query's own length is left out. */
FAST static inline __m128 scores_of(__m128 products, float norm, int64_t metric) {
    if (metric == COSINE) return products;
    if (metric == DOT) return _mm_mul_ps(products, _mm_set1_ps(norm));
    return _mm_fmsub_ps(products, _mm_set1_ps(2 * norm), _mm_set1_ps(norm * norm));
}

/* The best that any of `count` vectors from `first` on scores with each of four of the query's. */
FAST static __m128 best_of(const Kept *kept, int64_t first, int64_t count, const float *query) {
    int64_t dims = kept->dims;
    const float *q0 = query, *q1 = q0 + dims, *q2 = q1 + dims, *q3 = q2 + dims;
    __m128 best = _mm_set1_ps(-INFINITY);
    for (int64_t i = 0; i < count; i += 2) {
        int64_t other = i + 1 < count ? i + 1 : i;
        const uint16_t *x = kept->units + (first + i) * dims, *y = kept->units + (first + other) * dims;
        __m256 x0 = _mm256_setzero_ps(), x1 = x0, x2 = x0, x3 = x0, y0 = x0, y1 = x0, y2 = x0, y3 = x0;
        for (int64_t d = 0; d < dims; d += 8) {
            __m256 a = numbers_at(x + d), b = numbers_at(y + d), q;
            __builtin_prefetch(x + 2 * dims + d); /* the next two; beyond the last there is no harm in it */
            __builtin_prefetch(y + 2 * dims + d);
            q = _mm256_loadu_ps(q0 + d), x0 = _mm256_fmadd_ps(a, q, x0), y0 = _mm256_fmadd_ps(b, q, y0);
            q = _mm256_loadu_ps(q1 + d), x1 = _mm256_fmadd_ps(a, q, x1), y1 = _mm256_fmadd_ps(b, q, y1);
            q = _mm256_loadu_ps(q2 + d), x2 = _mm256_fmadd_ps(a, q, x2), y2 = _mm256_fmadd_ps(b, q, y2);
            q = _mm256_loadu_ps(q3 + d), x3 = _mm256_fmadd_ps(a, q, x3), y3 = _mm256_fmadd_ps(b, q, y3);
        }
        best = _mm_max_ps(best, scores_of(sums_of(x0, x1, x2, x3), kept->norms[first + i], kept->metric));
        best = _mm_max_ps(best, scores_of(sums_of(y0, y1, y2, y3), kept->norms[first + other], kept->metric));
    }
    return best;
}

/* For each object, whose vectors are `counts` from `starts` on: the sum over the query's vectors of the best score. `query` is (asked rounded up to four, dims). */
FAST int64_t nearimage_max_sim(const Kept *kept, const int64_t *starts, const int64_t *counts, int64_t objects, const float *query, int64_t asked, double *out) {
    for (int64_t object = 0; object < objects; object++) {
        double sum = 0;
        for (int64_t j = 0; j < asked; j += 4) {
            float best[4];
            _mm_storeu_ps(best, best_of(kept, starts[object], counts[object], query + j * kept->dims));
            for (int64_t k = 0; k < 4 && j + k < asked; k++) sum += best[k];
        }
        out[object] = sum;
    }
    return objects;
}

/* Vectors, (count, dims), to those of unit length, (count, width) float16, and their norms; what lies beyond dims stays as it is. Returns how long what was rounded
   off one of unit length is, at most. */
FAST double nearimage_halve(const float *vectors, int64_t count, int64_t dims, int64_t width, uint16_t *halves, float *norms) {
    double worst = 0;
    for (int64_t i = 0; i < count; i++) {
        const float *row = vectors + i * dims;
        uint16_t *half = halves + i * width;
        double squared = 0, lost = 0;
        for (int64_t d = 0; d < dims; d++) squared += (double)row[d] * row[d];
        norms[i] = (float)sqrt(squared);
        float factor = norms[i] > 0 ? (float)(1 / sqrt(squared)) : 0;
        for (int64_t d = 0; d < dims; d++) {
            float unit = row[d] * factor;
            half[d] = (uint16_t)_cvtss_sh(unit, _MM_FROUND_TO_NEAREST_INT);
            double error = (double)unit - _cvtsh_ss(half[d]);
            lost += error * error;
        }
        worst = lost > worst ? lost : worst;
    }
    return sqrt(worst);
}

#else

double nearimage_halve(const float *vectors, int64_t count, int64_t dims, int64_t width, uint16_t *halves, float *norms) { return -1; }

int64_t nearimage_max_sim(const Kept *kept, const int64_t *starts, const int64_t *counts, int64_t objects, const float *query, int64_t asked, double *out) {
    return -1;
}

#endif
