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
#else
    return (a & 0xffffffffu) * (uint64_t)b;
#endif
}

static inline vf philox_f(vu seed, vu x0, vu x1, vu x2) {
    const vl high = (vl){0} + 0xffffffff00000000u;
    vu x3 = {0}, key0 = seed;
    uint32_t key1 = 0;
    for (int round = 0; round < 10; ++round) {
        const vl a0 = even_products((vl)x0, 0xD2511F53u), b0 = even_products((vl)x2, 0xCD9E8D57u);
        const vl a1 = even_products((vl)x0 >> 32, 0xD2511F53u);
        const vl b1 = even_products((vl)x2 >> 32, 0xCD9E8D57u);
        x0 = (vu)((b0 >> 32) | (b1 & high)) ^ x1 ^ key0;
        x2 = (vu)((a0 >> 32) | (a1 & high)) ^ x3 ^ key1;
        x1 = (vu)((b0 & ~high) | (b1 << 32));
        x3 = (vu)((a0 & ~high) | (a1 << 32));
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    const vi word = (vi)x0;
    return __builtin_convertvector(word ^ (word >> 31), vf) * 4.6566127342e-10f;
}
#define rand_f(seed, x0, x1, x2) philox_f((vu)(seed), (vu)(x0), (vu)(x1), (vu)(x2))
#endif
