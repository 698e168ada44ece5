/* The same for vectors of LANES elements, by vector extensions of gcc and clang. A condition is -1 in
 * the lanes where it holds, else 0. */
typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef uint32_t vu __attribute__((vector_size(4 * LANES)));
typedef uint64_t vl __attribute__((vector_size(4 * LANES))); /* two lanes in one */
typedef uint16_t vh __attribute__((vector_size(2 * LANES)));
typedef uint16_t vh_near __attribute__((vector_size(2 * LANES), aligned(2), may_alias));
typedef float vf_near __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t vi_near __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint32_t vu_near __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* Every lane alike. What is subtracted keeps the sign of 0. */
#define all_f(a) ((float)(a) - (vf){0})
#define all_i(a) ((int32_t)(a) - (vi){0})
#define all_u(a) ((uint32_t)(a) - (vu){0})
#define all_h all_i
#define all_b(a) (-(int32_t)(a) - (vi){0})

#define each_lane for (int lane_number = 0; lane_number < LANES; ++lane_number)
#define LANE lane_number

static inline vi lane_numbers(void) {
    vi a;
    each_lane a[LANE] = LANE;
    return a;
}

static inline vf bits_f(vi a) { return (vf)a; }
static inline vf choose_f(vi m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }
static inline vi choose_i(vi m, vi a, vi b) { return (m & a) | (~m & b); }
#define choose_b choose_i
#define choose_h choose_i
static inline vu choose_u(vi m, vu a, vu b) { return (vu)((m & (vi)a) | (~m & (vi)b)); }

/* a > b ? a : b, and a < b ? a : b, as x86 has them: b where one is not a number. */
#if LANES == 16 && defined __AVX512F__
typedef float v16_float __attribute__((vector_size(64)));
#ifdef __clang__
#define EXTREME(name, a, b) (vf)__builtin_ia32_##name##512((v16_float)(a), (v16_float)(b), 4)
#else
#define EXTREME(name, a, b) \
    (vf)__builtin_ia32_##name##512_mask((v16_float)(a), (v16_float)(b), (v16_float)(b), -1, 4)
#endif
#elif LANES == 8 && defined __AVX__
typedef float v8_float __attribute__((vector_size(32)));
#define EXTREME(name, a, b) (vf)__builtin_ia32_##name##256((v8_float)(a), (v8_float)(b))
#elif LANES == 4 && defined __SSE__
typedef float v4_float __attribute__((vector_size(16)));
#define EXTREME(name, a, b) (vf)__builtin_ia32_##name((v4_float)(a), (v4_float)(b))
#endif
#ifdef EXTREME
static inline vf above_f(vf a, vf b) { return EXTREME(maxps, a, b); }
static inline vf below_f(vf a, vf b) { return EXTREME(minps, a, b); }
#undef EXTREME
#else
static inline vf above_f(vf a, vf b) { return choose_f(a > b, a, b); }
static inline vf below_f(vf a, vf b) { return choose_f(a < b, a, b); }
#endif
static inline vf larger_f(vf a, vf b) { return choose_f((a > b) | (a != a), a, b); }
static inline vf smaller_f(vf a, vf b) { return choose_f((a < b) | (a != a), a, b); }
static inline vi larger_i(vi a, vi b) { return choose_i(a > b, a, b); }
static inline vi smaller_i(vi a, vi b) { return choose_i(a < b, a, b); }
static inline vf magnitude_f(vf a) { return (vf)((vi)a & 0x7fffffff); }
static inline vi magnitude_i(vi a) { return choose_i(a < 0, -a, a); }

/* Of numbers that are not negative; others do not trap either. */
static inline vi quotient_i(vi a, vi b) {
    const vi none = b <= 0;
    return choose_i(none, (vi){0}, a / choose_i(none, all_i(1), b));
}
static inline vi rest_i(vi a, vi b) {
    const vi none = b <= 0;
    return choose_i(none, (vi){0}, a % choose_i(none, all_i(1), b));
}

static inline int any_lane(vi m) {
#if LANES == 16 && defined __AVX512F__ && !defined __clang__
    typedef int v16 __attribute__((vector_size(64)));
    return __builtin_ia32_ptestmd512((v16)m, (v16)m, 0xffff) != 0;
#elif LANES == 8 && defined __AVX__
    typedef float v8 __attribute__((vector_size(32)));
    return __builtin_ia32_movmskps256((v8)m) != 0;
#elif LANES == 4 && defined __SSE2__
    typedef float v4 __attribute__((vector_size(16)));
    return __builtin_ia32_movmskps((v4)m) != 0;
#else
    const vl pairs = (vl)m;
    uint64_t found = 0;
    for (int i = 0; i < LANES / 2; ++i) found |= pairs[i];
    return found != 0;
#endif
}

/* In a register from here on: gcc reads again where it needs a value in up to three places. */
#if (LANES == 4 && defined(__x86_64__)) || (LANES == 8 && defined(__AVX__)) || \
    (LANES == 16 && defined(__AVX512F__))
#define HOLD(a) __asm__("" : "+v"(a))
#elif LANES == 4 && defined(__aarch64__)
#define HOLD(a) __asm__("" : "+w"(a))
#else
#define HOLD(a)
#endif

#define ROUNDED_LANES(a) __asm__("" : "+m"(a))
#if (LANES == 4 && defined(__x86_64__)) || (LANES == 8 && defined(__AVX__)) || \
    (LANES == 16 && defined(__AVX512F__)) || (LANES == 4 && defined(__aarch64__))
#undef ROUNDED_LANES
#define ROUNDED_LANES HOLD
#endif
static inline vf rounded_f(vf a) {
    ROUNDED_LANES(a);
    return a;
}

static inline vi order_key_f(vf a) {
    const vi b = (vi)(a + all_f(0.0f)), key = b ^ ((b >> 31) & INT32_MAX);
    return choose_i(a != a, all_i(INT32_MAX), key);
}

/* Memory side by side. */
static inline vf near_f(const float *p) {
    vf a = *(const vf_near *)p;
    HOLD(a);
    return a;
}
/* And asks for what lies ``ahead``, where there need be nothing. */
static inline vf near_ahead_f(const float *p, int64_t ahead) {
    __builtin_prefetch(p + ahead);
    return near_f(p);
}
static inline vi near_i(const int32_t *p) { return *(const vi_near *)p; }
static inline vu near_u(const uint32_t *p) { return *(const vu_near *)p; }
/* Floats of 16 bits, in lanes as their bits. */
static inline vi near_h(const uint16_t *p) {
    return __builtin_convertvector(*(const vh_near *)p, vi);
}
static inline vi near_ahead_h(const uint16_t *p, int64_t ahead) {
    __builtin_prefetch(p + ahead);
    return near_h(p);
}
static inline void put_near_h(uint16_t *p, vi a) {
    *(vh_near *)p = __builtin_convertvector(a, vh);
}
static inline vi near_b(const bool8 *p) {
    vi a;
    each_lane a[LANE] = -(int32_t)(p[LANE] != 0);
    return a;
}
static inline void put_near_f(float *p, vf a) { *(vf_near *)p = a; }
static inline void put_near_i(int32_t *p, vi a) { *(vi_near *)p = a; }
static inline void put_near_u(uint32_t *p, vu a) { *(vu_near *)p = a; }
static inline void put_near_b(bool8 *p, vi a) { each_lane p[LANE] = a[LANE] != 0; }

/* The first lanes alone: the end of a row, which is rare. But what is masked in hardware is no call,
   which would make compilers hold a loop with such an end in each turn for rare, too. */
#define RARE static __attribute__((noinline, cold, unused))
#define FEW for (int64_t lane_number = 0; lane_number < count; ++lane_number)
#define FIRST(kind, vector, element, lane, taken, put)                                           \
    RARE vector near_few_##kind(const element *p, int64_t count, vector other) {                 \
        lane *const lanes = (lane *)&other;                                                      \
        FEW { const element got = p[LANE]; lanes[LANE] = taken; }                                \
        return other;                                                                            \
    }                                                                                            \
    RARE void put_near_few_##kind(element *p, int64_t count, vector other) {                     \
        const lane *const lanes = (const lane *)&other;                                          \
        FEW { const lane got = lanes[LANE]; p[LANE] = put; }                                     \
    }                                                                                            \
    static inline vector near_first_##kind(const element *p, int64_t count, vector other) {      \
        return count >= LANES ? near_##kind(p) : near_few_##kind(p, count, other);               \
    }                                                                                            \
    static inline void put_near_first_##kind(element *p, int64_t count, vector a) {              \
        if (count >= LANES) put_near_##kind(p, a);                                               \
        else put_near_few_##kind(p, count, a);                                                   \
    }
#define MASKED(kind, vector, element, load, store)                                               \
    static inline vector near_first_##kind(const element *p, int64_t count, vector other) {      \
        return count >= LANES ? near_##kind(p) : load;                                           \
    }                                                                                            \
    static inline void put_near_first_##kind(element *p, int64_t count, vector a) {              \
        if (count >= LANES) put_near_##kind(p, a);                                               \
        else store;                                                                              \
    }
#if LANES == 16 && defined __AVX512F__
typedef int32_t v16_int __attribute__((vector_size(64)));
static inline uint16_t first_lanes(int64_t count) {
    return (uint16_t)((1u << (count > 0 ? count : 0)) - 1);
}
#define LOAD(name, vector, like) \
    (vector)__builtin_ia32_##name##512_mask((const void *)p, (like)other, first_lanes(count))
#define STORE(name, like) \
    __builtin_ia32_##name##512_mask((void *)p, (like)a, first_lanes(count))
MASKED(f, vf, float, LOAD(loadups, vf, v16_float), STORE(storeups, v16_float))
MASKED(i, vi, int32_t, LOAD(loaddqusi, vi, v16_int), STORE(storedqusi, v16_int))
MASKED(u, vu, uint32_t, LOAD(loaddqusi, vu, v16_int), STORE(storedqusi, v16_int))
#undef LOAD
#undef STORE
#elif LANES == 8 && defined __AVX2__
typedef int32_t v8_int __attribute__((vector_size(32)));
static inline v8_int first_lanes(int64_t count) {
    const int32_t number = (int32_t)(count > 0 ? count : 0);
    return (v8_int)(lane_numbers() < number);
}
#define LOAD(kind, name) \
    choose_##kind((vi)first_lanes(count), \
                  (v##kind)__builtin_ia32_mask##name##256((const void *)p, first_lanes(count)), other)
#define STORE(name, like) \
    __builtin_ia32_mask##name##256((void *)p, first_lanes(count), (like)a)
MASKED(f, vf, float, LOAD(f, loadps), STORE(storeps, v8_float))
MASKED(i, vi, int32_t, LOAD(i, loadd), STORE(stored, v8_int))
MASKED(u, vu, uint32_t, LOAD(u, loadd), STORE(stored, v8_int))
#undef LOAD
#undef STORE
#else
FIRST(f, vf, float, float, got, got)
FIRST(i, vi, int32_t, int32_t, got, got)
FIRST(u, vu, uint32_t, uint32_t, got, got)
#endif
#undef MASKED
FIRST(b, vi, bool8, int32_t, -(int32_t)(got != 0), got != 0)
FIRST(h, vi, uint16_t, int32_t, got, (uint16_t)got)
#undef FIRST

/* Every second element. clang sees by itself that two vectors hold them. */
static inline vf second_f(const float *p) {
#ifdef __clang__
    vf a;
    each_lane a[LANE] = p[LANE * 2];
    return a;
#else
    const vi lane = lane_numbers();
    return __builtin_shuffle(near_f(p), near_f(p + LANES - 1), lane + lane - (lane >= LANES / 2));
#endif
}

/* Memory at equal distances. */
#define STEP(kind, vector, element, lane, taken, put, quick)                                     \
    static inline vector step_##kind(const element *p, int64_t step) {                           \
        vector a;                                                                                \
        quick                                                                                    \
        each_lane { const element got = p[LANE * step]; a[LANE] = taken; }                       \
        return a;                                                                                \
    }                                                                                            \
    static inline void put_step_##kind(element *p, int64_t step, vector a) {                     \
        each_lane { const lane got = a[LANE]; p[LANE * step] = put; }                            \
    }                                                                                            \
    RARE vector step_few_##kind(const element *p, int64_t step, int64_t count, vector other) {   \
        lane *const lanes = (lane *)&other;                                                      \
        FEW { const element got = p[LANE * step]; lanes[LANE] = taken; }                         \
        return other;                                                                            \
    }                                                                                            \
    static inline vector step_first_##kind(const element *p, int64_t step, int64_t count,        \
                                           vector other) {                                       \
        return count >= LANES ? step_##kind(p, step) : step_few_##kind(p, step, count, other);   \
    }                                                                                            \
    RARE void put_step_few_##kind(element *p, int64_t step, int64_t count, vector other) {       \
        const lane *const lanes = (const lane *)&other;                                          \
        FEW { const lane got = lanes[LANE]; p[LANE * step] = put; }                              \
    }                                                                                            \
    static inline void put_step_first_##kind(element *p, int64_t step, int64_t count, vector a) {\
        if (count >= LANES) put_step_##kind(p, step, a);                                         \
        else put_step_few_##kind(p, step, count, a);                                             \
    }
#if LANES == 16 && defined __AVX512F__ && !defined __clang__
/* Every so many elements, up to 12: of all vectors from the first to the last. Each is one shuffle,
 * which lanes one by one take more of. */
static inline __attribute__((always_inline)) vf spaced_f(const float *p, int step) {
    const vi place = lane_numbers() * step;
    const int end = (LANES - 1) * (step - 1);
    vf a = near_f(p);
    _Pragma("GCC unroll 12") for (int v = 1; v < step; ++v) {
        const int at = v * LANES < end ? v * LANES : end;
        const vi kept = v == 1 ? place & (LANES - 1) : lane_numbers();
        a = __builtin_shuffle(a, near_f(p + at), choose_i(place < at, kept, place - at + LANES));
    }
    return a;
}
#define SPACED if (__builtin_constant_p(step) && step > 2 && step <= 12) return spaced_f(p, step);
#else
#define SPACED
#endif
#define QUICK if (__builtin_constant_p(step) && step == 2) return second_f(p); SPACED
STEP(f, vf, float, float, got, got, QUICK)
STEP(i, vi, int32_t, int32_t, got, got, )
STEP(u, vu, uint32_t, uint32_t, got, got, )
STEP(b, vi, bool8, int32_t, -(int32_t)(got != 0), got != 0, )
STEP(h, vi, uint16_t, int32_t, got, (uint16_t)got, )
#undef QUICK
#undef SPACED
#undef FEW
#undef STEP

/* Squares: LANES vectors at equal distances, turned, so that lanes become vectors. */
static inline void turn_f(vf *a) {
#ifdef __clang__
    float b[LANES * LANES];
    for (int i = 0; i < LANES; ++i) put_near_f(b + i * LANES, a[i]);
    for (int i = 0; i < LANES; ++i) each_lane a[i][LANE] = b[LANE * LANES + i];
#else
    const vi lane = lane_numbers();
    _Pragma("GCC unroll 4") for (int s = 1; s < LANES; s *= 2) {
        const vi odd = (lane & s) != 0;
        const vi low = lane + (odd & (LANES - s)), high = lane + choose_i(odd, all_i(LANES), all_i(s));
        _Pragma("GCC unroll 16") for (int i = 0; i < LANES; ++i) {
            if (i & s) continue;
            const vf first = a[i], second = a[i + s];
            a[i] = __builtin_shuffle(first, second, low);
            a[i + s] = __builtin_shuffle(first, second, high);
        }
    }
#endif
}
static __attribute__((noinline, unused)) const float *square_f(float *to, const float *p,
                                                               int64_t step) {
    vf a[LANES];
    _Pragma("GCC unroll 16") for (int i = 0; i < LANES; ++i) a[i] = near_f(p + i * step);
    turn_f(a);
    _Pragma("GCC unroll 16") for (int i = 0; i < LANES; ++i) put_near_f(to + i * LANES, a[i]);
    return to;
}
static __attribute__((noinline, unused)) void put_square_f(const float *from, float *p,
                                                           int64_t step) {
    vf a[LANES];
    _Pragma("GCC unroll 16") for (int i = 0; i < LANES; ++i) a[i] = near_f(from + i * LANES);
    turn_f(a);
    _Pragma("GCC unroll 16") for (int i = 0; i < LANES; ++i) put_near_f(p + i * step, a[i]);
}

/* Memory anywhere, where a condition holds; elsewhere it is not touched. */
#define FAR(kind, vector, element, taken, put)                                                   \
    static inline vector far_##kind(const element *p, vi index, vi m, vector other) {            \
        each_lane if (m[LANE]) { const element got = p[index[LANE]]; other[LANE] = taken; }      \
        return other;                                                                            \
    }                                                                                            \
    static inline void put_far_##kind(element *p, vi index, vi m, vector a) {                    \
        each_lane if (m[LANE]) p[index[LANE]] = put;                                             \
    }
FAR(f, vf, float, got, a[LANE])
FAR(i, vi, int32_t, got, a[LANE])
FAR(u, vu, uint32_t, got, a[LANE])
FAR(b, vi, bool8, -(int32_t)(got != 0), a[LANE] != 0)
FAR(h, vi, uint16_t, got, (uint16_t)a[LANE])
#undef FAR

/* The lanes of two vectors from a number on, which is a constant. */
#ifdef __clang__
#define SHIFTED(name, vector)                                                                    \
    static inline __attribute__((always_inline)) vector name(vector a, vector b, int from) {     \
        vector c;                                                                                \
        each_lane c[LANE] = LANE + from < LANES ? a[(LANE + from) % LANES]                       \
                                                : b[(LANE + from) % LANES];                      \
        return c;                                                                                \
    }
#else
#define SHIFTED(name, vector)                                                                    \
    static inline __attribute__((always_inline)) vector name(vector a, vector b, int from) {     \
        return __builtin_shuffle(a, b, lane_numbers() + from);                                   \
    }
#endif
SHIFTED(shifted_f, vf)
SHIFTED(shifted_i, vi)
#undef SHIFTED

/* All lanes as one, in pairs: each with the one half of the lanes away. */
#define ACROSS(name, kind, element, combined)                                                    \
    static inline element name(v##kind v) {                                                      \
        _Pragma("GCC unroll 4") for (int half = LANES / 2; half; half /= 2) {                    \
            const v##kind a = v, b = shifted_##kind(v, v, half);                                 \
            v = combined;                                                                        \
        }                                                                                        \
        return v[0];                                                                             \
    }
ACROSS(sum_f, f, float, a + b)
ACROSS(prod_f, f, float, a * b)
ACROSS(max_f, f, float, larger_f(a, b))
ACROSS(min_f, f, float, smaller_f(a, b))
ACROSS(sum_i, i, int32_t, a + b)
ACROSS(prod_i, i, int32_t, a * b)
ACROSS(max_i, i, int32_t, larger_i(a, b))
ACROSS(min_i, i, int32_t, smaller_i(a, b))
#undef ACROSS

static inline vf to_float_i(vi a) { return __builtin_convertvector(a, vf); }
static inline vf to_float_u(vu a) { return __builtin_convertvector(a, vf); }
static inline vf to_float_b(vi a) { return __builtin_convertvector(-a, vf); }
static inline vi to_int_f(vf a) { return __builtin_convertvector(a, vi); }

static inline vf wide_bf16(vi a) { return (vf)(a << 16); }
static inline vi narrow_bf16(vf a) {
    const vu b = (vu)a, near = b + 0x7fff + (b >> 16 & 1);
    return (vi)(choose_u(a != a, b | 0x400000, near) >> 16);
}
static inline vf wide_f16(vi a) {
    const vi rest = (a & 0x7fff) << 13, found = (vi)((vf)rest * 0x1p112f);
    return (vf)((a & 0x8000) << 16 | choose_i(rest >= 0x0f800000, rest | 0x7f800000, found));
}
static inline vi narrow_f16(vf a) {
    vi b;
    each_lane b[LANE] = f16_of(a[LANE]);
    return b;
}

static inline vf sqrt_f(vf a) {
    each_lane a[LANE] = sqrtf(a[LANE]);
    return a;
}

/* What functions are made of, for vectors. */
#undef REAL
#undef WHOLE
#undef UWHOLE
#undef NAME
#undef BITS
#undef REAL_OF
#undef TO_REAL
#undef TO_WHOLE
#undef ALL
#undef CHOOSE
#undef ABOVE
#undef BELOW
#undef CHOOSE_WHOLE
#undef WHERE
#define REAL vf
#define WHOLE vi
#define UWHOLE vu
#define NAME(name) name##_f
#define BITS(a) ((vi)(a))
#define REAL_OF(a) ((vf)(a))
#define TO_REAL(a) to_float_i(a)
#define TO_WHOLE(a) to_int_f(a)
#define ALL(a) all_f(a)
#define CHOOSE(m, a, b) choose_f(m, a, b)
#define ABOVE(a, b) above_f(a, b)
#define BELOW(a, b) below_f(a, b)
#if LANES == 16 && defined __AVX512F__ && !defined __clang__
#define SCALED(a, n)                                                                             \
    (vf)__builtin_ia32_scalefps512_mask((v16_float)(a), (v16_float)TO_REAL(n), (v16_float){0}, -1, 4)
#endif
#define CHOOSE_WHOLE(m, a, b) choose_i(m, a, b)
#define WHERE(m, y, function, a, b) if (any_lane(m)) y = function##_where(m, a, b, y)

RARE vf powf_where(vi m, vf a, vf b, vf other) {
    each_lane if (m[LANE]) other[LANE] = powf(a[LANE], b[LANE]);
    return other;
}
