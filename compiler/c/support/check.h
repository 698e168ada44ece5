/* What a kernel is checked with: operands that look random, and some elements of its results, as the
 * reference has them. Memory holds a multiple of 16 elements, as kernels expect it. */
#include <stdio.h>
#include <stdlib.h>

static void *memory(int64_t nbytes) {
    void *found = malloc((size_t)nbytes);
    if (!found) {
        fprintf(stderr, "there is no memory for %lld bytes\n", (long long)nbytes);
        exit(2);
    }
    return found;
}

static uint32_t drawn(uint32_t array, uint32_t i) {
    uint32_t bits = i + (array + 1) * 2654435769u;
    bits = (bits ^ bits >> 16) * 2146121005u;
    bits = (bits ^ bits >> 15) * 2221713035u;
    return bits ^ bits >> 16;
}

#define SIXTEENS(count) ((count) < 1 ? 16 : ((count) + 15) / 16 * 16)
#define CHECKED(dtype, element, made, number, tolerance)                                        \
    static inline element *drawn_##dtype(uint32_t array, int64_t count, int positive) {         \
        element *all = memory(SIXTEENS(count) * (int64_t)sizeof *all);                          \
        for (int64_t i = 0; i < SIXTEENS(count); ++i) {                                         \
            const uint32_t bits = drawn(array, (uint32_t)i);                                    \
            (void)positive;                                                                     \
            all[i] = made;                                                                      \
        }                                                                                       \
        return all;                                                                             \
    }                                                                                           \
    static inline element *copied_##dtype(const element *from, int64_t count) {                 \
        element *all = memory(SIXTEENS(count) * (int64_t)sizeof *all);                          \
        for (int64_t i = 0; i < SIXTEENS(count); ++i) all[i] = i < count ? from[i] : 0;         \
        return all;                                                                             \
    }                                                                                           \
    static inline int differs_##dtype(const char *name, const element *found, int64_t count,    \
                                      const int64_t *at, const double *expected) {              \
        double largest = 1e-12, off = 0.0;                                                      \
        for (int64_t i = 0; i < count; ++i) {                                                   \
            const double have = (double)number(found[at[i]]), want = expected[i];               \
            if (isfinite(want) && fabs(want) > largest) largest = fabs(want);                   \
            if (have == want || (have != have && want != want)) continue;                       \
            const double by = fabs(have - want);                                                \
            if (!(by <= off)) off = isfinite(by) ? by : INFINITY;                               \
        }                                                                                       \
        const int wrong = off / largest > tolerance;                                            \
        printf("%s: relative error %.1e%s\n", name, off / largest, wrong ? "  DIFFERS" : "");   \
        return wrong;                                                                           \
    }
#define REAL_BITS ((float)(int32_t)(bits >> 8) * (1.0f / 8388608.0f) - 1.0f)
#define REAL_DRAWN (positive ? fabsf(REAL_BITS) : REAL_BITS)
CHECKED(f32, float, REAL_DRAWN, , TOLERANCE)
CHECKED(bf16, uint16_t, bf16_of(REAL_DRAWN), real_of_bf16, 8e-3)
CHECKED(f16, uint16_t, f16_of(REAL_DRAWN), real_of_f16, 1e-3)
CHECKED(i32, int32_t, (int32_t)(bits >> 30), , TOLERANCE)
CHECKED(u32, uint32_t, bits >> 30, , TOLERANCE)
CHECKED(bool, bool8, (bool8)(bits >> 31), , TOLERANCE)
#undef REAL_DRAWN
#undef REAL_BITS
#undef CHECKED
