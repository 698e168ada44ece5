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

#ifdef LANES
/* The products of the even lanes. gcc does not see that half of each factor is 0. */
static inline vl even_products(vl a, uint32_t b) {
#if defined __AVX512F__ && LANES == 16 && !defined __clang__
    typedef long long v8 __attribute__((vector_size(64)));
    typedef int v16 __attribute__((vector_size(64)));
    return (vl)__builtin_ia32_pmuludq512_mask((v16)a, (v16)all_u(b), (v8){0}, 255);
#elif defined __AVX2__ && LANES == 8 && !defined __clang__
    typedef int v8 __attribute__((vector_size(32)));
    return (vl)__builtin_ia32_pmuludq256((v8)a, (v8)all_u(b));
#elif defined __SSE2__ && LANES == 4 && !defined __clang__
    typedef int v4 __attribute__((vector_size(16)));
    return (vl)__builtin_ia32_pmuludq128((v4)a, (v4)all_u(b));
#else
    return (a & 0xffffffffu) * (uint64_t)b;
#endif
}

/* The odd lanes as even ones. A shuffle, as what multiplies also shifts. */
static inline vl odd_lanes(vl a) {
#ifdef __clang__
    return a >> 32;
#else
    return (vl)__builtin_shuffle((vi)a, lane_numbers() | 1);
#endif
}

/* Of the even lanes. What odd lanes hold is of no account: products do not read it. */
static inline vl philox_even(vl key0, vl x0, vl x1, vl x2) {
    vl x3 = {0};
    uint64_t key1 = 0;
    for (int round = 0; round < 10; ++round) {
        const vl a = even_products(x0, 0xD2511F53u), b = even_products(x2, 0xCD9E8D57u);
        x0 = odd_lanes(b) ^ x1 ^ key0;
        x2 = odd_lanes(a) ^ x3 ^ key1;
        x1 = b;
        x3 = a;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return x0;
}

static inline vf philox_f(vu seed, vu x0, vu x1, vu x2) {
    const vl even = philox_even((vl)seed, (vl)x0, (vl)x1, (vl)x2);
    const vl odd = philox_even(odd_lanes((vl)seed), odd_lanes((vl)x0), odd_lanes((vl)x1),
                               odd_lanes((vl)x2));
    const vi word = (vi)((even & 0xffffffffu) | (odd << 32));
    return __builtin_convertvector(word ^ (word >> 31), vf) * 4.6566127342e-10f;
}
#define rand_f(seed, x0, x1, x2) philox_f((vu)(seed), (vu)(x0), (vu)(x1), (vu)(x2))
#endif
