/* What this machine can do at most, in the form of kernels. */
#include <string.h>

/* Rounds of 12 sums that wait for none of the others: as many as hide what one takes. */
void multiply_add_speed(const kernel_argument *given, int64_t begin, int64_t end, int64_t across) {
    float *out = given[0].pointer;
    const int64_t rounds = given[1].size;
    (void)across;
    for (int64_t program = begin; program < end; ++program) {
        float *put = out + program * LANES;
        const vf a = near_f(put), b = a * 0.25f;
        vf sum0 = a + 0.0f, sum1 = a + 1.0f, sum2 = a + 2.0f, sum3 = a + 3.0f;
        vf sum4 = a + 4.0f, sum5 = a + 5.0f, sum6 = a + 6.0f, sum7 = a + 7.0f;
        vf sum8 = a + 8.0f, sum9 = a + 9.0f, sum10 = a + 10.0f, sum11 = a + 11.0f;
        for (int64_t round = 0; round < rounds; ++round) {
            sum0 = sum0 * a + b, sum1 = sum1 * a + b, sum2 = sum2 * a + b, sum3 = sum3 * a + b;
            sum4 = sum4 * a + b, sum5 = sum5 * a + b, sum6 = sum6 * a + b, sum7 = sum7 * a + b;
            sum8 = sum8 * a + b, sum9 = sum9 * a + b, sum10 = sum10 * a + b, sum11 = sum11 * a + b;
        }
        sum0 += sum1 + sum2 + sum3 + sum4 + sum5 + sum6 + sum7 + sum8 + sum9 + sum10 + sum11;
        put_near_f(put, sum0);
    }
}

/* given[2] bytes from given[1] to given[0] in parts of given[3] bytes, each given[4] times. */
void copy_speed(const kernel_argument *given, int64_t begin, int64_t end, int64_t across) {
    char *to = given[0].pointer;
    const char *from = given[1].pointer;
    const int64_t size = given[2].size, part = given[3].size, times = given[4].size;
    (void)across;
    for (int64_t program = begin; program < end; ++program) {
        const int64_t start = program / times * part, left = size - start;
        memcpy(to + start, from + start, left < part ? left : part);
    }
}
