"""What stands before C kernels: types and functions that the language lacks."""

HELPERS = """\
#include <math.h>
#include <stdint.h>
typedef unsigned char bool8;

/* NaN wins. */
static inline float larger_real(float a, float b) { return a > b || a != a ? a : b; }
static inline float smaller_real(float a, float b) { return a < b || a != a ? a : b; }
static inline int64_t larger_whole(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t smaller_whole(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t magnitude_whole(int64_t a) { return a < 0 ? -a : a; }
#define larger(a, b) _Generic((a), float: larger_real, default: larger_whole)(a, b)
#define smaller(a, b) _Generic((a), float: smaller_real, default: smaller_whole)(a, b)
#define magnitude(a) _Generic((a), float: fabsf, default: magnitude_whole)(a)

/* 0 where b is 0, as numpy's: what stands behind a tensor may be divided by. */
static inline int64_t quotient(int64_t a, int64_t b) { return b ? a / b : 0; }
static inline int64_t rest(int64_t a, int64_t b) { return b ? a % b : 0; }

static inline float sigmoid(float a) { return 1.0f / (1.0f + expf(-a)); }

/* Uniform in [0, 1): first word of Philox 4x32-10 at counter (x0, x1, x2, 0). */
static inline float philox_uniform(uint32_t seed, uint32_t x0, uint32_t x1, uint32_t x2) {
    uint32_t x3 = 0, key0 = seed, key1 = 0;
    for (int round = 0; round < 10; ++round) {
        const uint64_t a = (uint64_t)x0 * 0xD2511F53u, b = (uint64_t)x2 * 0xCD9E8D57u;
        x0 = (uint32_t)(b >> 32) ^ x1 ^ key0;
        x2 = (uint32_t)(a >> 32) ^ x3 ^ key1;
        x1 = (uint32_t)b;
        x3 = (uint32_t)a;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    const int32_t word = (int32_t)x0;
    return (float)(word < 0 ? -word - 1 : word) * 4.6566127342e-10f;
}
"""
