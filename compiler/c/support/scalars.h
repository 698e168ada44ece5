/* What C lacks that kernels compute with, for single elements. */
#include <math.h>
#include <stdint.h>

typedef unsigned char bool8;

#ifndef KERNEL_ARGUMENT
#define KERNEL_ARGUMENT
/* One argument of a kernel: the address of a buffer, a size, a number. */
typedef union {
    void *pointer;
    int64_t size;
    float number;
} kernel_argument;
#endif

/* What is read where nothing is. */
static const float nothing_f32[64] __attribute__((unused));

/* An element's address, or that of zeros. No branch decides that, and compilers are kept from making
   one, with everything that is read behind it in both arms. */
static inline const float *found_f32(bool8 there, const float *place) {
    const float *found = there ? place : nothing_f32;
    __asm__("" : "+r"(found));
    return found;
}

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

/* What was computed so far, rounded: compilers see no product any more that they could add to. */
#if defined __SSE__
#define ROUNDED(a) __asm__("" : "+x"(a))
#elif defined __aarch64__
#define ROUNDED(a) __asm__("" : "+w"(a))
#else
#define ROUNDED(a) __asm__("" : "+m"(a))
#endif
static inline float rounded_real(float a) {
    ROUNDED(a);
    return a;
}

static inline float magnitude_real(float a) { return fabsf(a); }
typedef union {
    float real;
    int32_t whole;
} real_or_whole;
static inline int32_t bits_of(float a) {
    const real_or_whole b = {.real = a};
    return b.whole;
}
static inline float real_of(int32_t a) {
    const real_or_whole b = {.whole = a};
    return b.real;
}

/* An integer for a float, of the same order; 0 and -0 are one, and NaN is above all. */
static inline int32_t order_key_real(float a) {
    const int32_t b = bits_of(a + 0.0f);
    return a != a ? INT32_MAX : b ^ ((b >> 31) & INT32_MAX);
}
static inline int64_t byte_of(int64_t a, int number) { return (uint32_t)a >> 8 * number & 255; }

/* Floats of 16 bits, as memory holds them. */
static const uint16_t nothing_bf16[64] __attribute__((unused));
static inline const uint16_t *found_bf16(bool8 there, const uint16_t *place) {
    const uint16_t *found = there ? place : nothing_bf16;
    __asm__("" : "+r"(found));
    return found;
}
#define found_f16 found_bf16
static inline float real_of_bf16(uint16_t a) { return real_of((int32_t)((uint32_t)a << 16)); }
static inline uint16_t bf16_of(float a) {
    const uint32_t b = (uint32_t)bits_of(a);
    return (uint16_t)((a != a ? b | 0x400000 : b + 0x7fff + (b >> 16 & 1)) >> 16);
}
/* Those of f16 whose exponents are the least are no others: their distance is the same. */
static inline float real_of_f16(uint16_t a) {
    const uint32_t rest = (uint32_t)(a & 0x7fff) << 13, sign = (uint32_t)(a & 0x8000) << 16;
    const uint32_t found = (uint32_t)bits_of(real_of((int32_t)rest) * 0x1p112f);
    return real_of((int32_t)(sign | (rest >= 0x0f800000 ? rest | 0x7f800000 : found)));
}
static inline uint16_t f16_of(float a) {
    const uint32_t b = (uint32_t)bits_of(a), rest = b & 0x7fffffff, sign = b >> 16 & 0x8000;
    if (rest > 0x7f800000) return (uint16_t)(sign | 0x7e00);
    if (rest >= 0x477ff000) return (uint16_t)(sign | 0x7c00);
    if (rest < 0x38800000)
        return (uint16_t)(sign | ((uint32_t)bits_of(real_of((int32_t)rest) + 0.5f) - 0x3f000000));
    return (uint16_t)(sign | (rest + 0xfff + (rest >> 13 & 1) - 0x38000000) >> 13);
}

/* What functions are made of, for floats. */
#define REAL float
#define WHOLE int32_t
#define UWHOLE uint32_t
#define SIGN INT32_MIN
#define NAME(name) name##_real
#define BITS(a) bits_of(a)
#define REAL_OF(a) real_of(a)
#define TO_REAL(a) ((float)(a))
#define TO_WHOLE(a) ((int32_t)(a))
#define ALL(a) (a)
#define CHOOSE(m, a, b) ((m) ? (a) : (b))
#define ABOVE(a, b) ((a) > (b) ? (a) : (b))
#define BELOW(a, b) ((a) < (b) ? (a) : (b))
#define CHOOSE_WHOLE(m, a, b) ((m) ? (a) : (b))
#define WHERE(m, y, function, a, b) if (m) y = function(a, b)
