/* Functions of REAL, a float or a vector of them, of which each lane comes out as a float would:
 * the polynomials are the same, and so are the roundings, wherever a product and a sum become one
 * operation. Errors are at most about two units in the
 * last place. WHOLE are integers of the same size, BITS and REAL_OF what memory holds of both. */

/* 2**n, of n from -126 to 127. */
static inline REAL NAME(power_of_two)(WHOLE n) { return REAL_OF((WHOLE)((UWHOLE)(n + 127) << 23)); }

/* e**x = 2**n (1 + r + r**2 p): q is r + r**2 p. */
static inline REAL NAME(exp_parts)(REAL x, WHOLE *n) {
    const REAL shifted = x * 1.44269504f + 12582912.0f;
    const REAL whole = shifted - 12582912.0f;
    REAL r = x - whole * 0.693359375f;
    r = r + whole * 2.12194440e-4f;
    const REAL square = r * r;
    const REAL p0 = r * 1.6666667e-1f + 0.5f, p1 = r * 8.3332630e-3f + 4.1666254e-2f;
    const REAL p2 = r * 1.9919378e-4f + 1.3947225e-3f;
    REAL p = p2 * square + p1;
    p = p * square + p0;
    *n = BITS(shifted) - 0x4b400000;
    return p * square + r;
}

/* a * 2**n, in two steps, as the result may have no exponent of its own. */
static inline REAL NAME(scaled)(REAL a, WHOLE n) {
#ifdef SCALED
    return SCALED(a, n);
#else
    const WHOLE half = n >> 1;
    return a * NAME(power_of_two)(half) * NAME(power_of_two)(n - half);
#endif
}

static inline REAL NAME(exp)(REAL x) {
    WHOLE n;
    x = BELOW(ALL(89.0f), x);
    x = ABOVE(ALL(-105.0f), x);
    const REAL q = NAME(exp_parts)(x, &n);
    return NAME(scaled)(q + 1.0f, n);
}

static inline REAL NAME(expm1)(REAL x) {
    WHOLE n;
    const REAL given = x;
    x = CHOOSE(x > 89.0f, ALL(89.0f), x);
    x = CHOOSE(x < -20.0f, ALL(-20.0f), x);
    const REAL q = NAME(exp_parts)(x, &n);
    const WHOLE most = CHOOSE_WHOLE(n > 127, n - 1, n);
    const REAL scale = NAME(power_of_two)(most);
    const REAL rest = scale - 1.0f;
    const REAL y = q * scale + rest;
    const REAL tiny = NAME(magnitude)(given);
    return CHOOSE(tiny < 1e-7f, given, CHOOSE(n > 127, y + y, y));
}

/* ln(m) = f + rest, of m = 1 + f from sqrt(1/2) to sqrt(2), where x = 2**n m is normal. */
static inline REAL NAME(log_parts)(REAL x, REAL *f, REAL *n) {
    const WHOLE bits = BITS(x);
    const WHOLE exponent = (WHOLE)((UWHOLE)bits - 0x3f3504f3u) >> 23;
    const REAL m = REAL_OF((WHOLE)((UWHOLE)bits - ((UWHOLE)exponent << 23)));
    const REAL g = m - 1.0f;
    *f = g;
    *n = TO_REAL(exponent);
    const REAL square = g * g, fourth = square * square;
    const REAL p0 = g * 3.3333310e-1f + -0.5f, p1 = g * 2.0002227e-1f + -2.4999987e-1f;
    const REAL p2 = g * 1.4218658e-1f + -1.6669251e-1f, p3 = g * 1.1872976e-1f + -1.2384348e-1f;
    const REAL p4 = g * 6.9153681e-2f + -1.1789808e-1f;
    const REAL low = p1 * square + p0, high = p3 * square + p2;
    REAL p = p4 * fourth + high;
    p = p * fourth + low;
    return p * square;
}

static inline REAL NAME(log)(REAL x) {
    REAL f, n;
    const WHOLE small = x < 1.17549435e-38f;
    const REAL rest = NAME(log_parts)(CHOOSE(small, x * 8388608.0f, x), &f, &n);
    n = CHOOSE(small, n - 23.0f, n);
    REAL y = rest + f;
    y = n * -2.12194440e-4f + y;
    y = n * 0.693359375f + y;
    y = CHOOSE(x == 0.0f, ALL(-INFINITY), y);
    y = CHOOSE(x == INFINITY, x, y);
    return CHOOSE((x < 0.0f) | (x != x), ALL(NAN), y);
}

static inline REAL NAME(log1p)(REAL x) {
    const REAL u = x + 1.0f;
    const REAL lost = x - (u - 1.0f);
    const REAL y = NAME(log)(u) + lost / u;
    const WHOLE plain = (u == 0.0f) | (u == INFINITY);
    return CHOOSE(NAME(magnitude)(x) < 1e-7f, x, CHOOSE(plain, NAME(log)(u), y));
}

static inline REAL NAME(tanh)(REAL x) {
    REAL a = NAME(magnitude)(x);
    a = CHOOSE(a > 10.0f, ALL(10.0f), a);
    const REAL t = NAME(expm1)(a + a);
    const REAL y = t / (t + 2.0f);
    return REAL_OF(BITS(y) | (BITS(x) & SIGN));
}

static inline REAL NAME(sigmoid)(REAL x) { return 1.0f / (NAME(exp)(-x) + 1.0f); }

static inline REAL NAME(floor)(REAL x) {
    const REAL near = TO_REAL(TO_WHOLE(x));
    const REAL y = CHOOSE(near > x, near - 1.0f, near);
    const REAL signed_y = REAL_OF(BITS(y) | (BITS(x) & SIGN));
    return CHOOSE(NAME(magnitude)(x) < 8388608.0f, signed_y, x);
}

/* 2**(b log2(a)): the exponent is kept in two parts. Where it is none of a normal number, and for
 * factors that are none, the library's function is asked. */
static inline REAL NAME(pow)(REAL a, REAL b) {
    REAL f, n;
    const REAL rest = NAME(log_parts)(a, &f, &n);
    /* log2(a) = n + f + g; of b and f the first twelve bits, whose products are exact. */
    REAL g = rest * 1.44269504f;
    g = f * 0.44269504f + g;
    const REAL b0 = REAL_OF(BITS(b) & -4096), b1 = b - b0;
    const REAL f0 = REAL_OF(BITS(f) & -4096), f1 = f - f0;
    const REAL large = b0 * n;
    REAL low = b * (f1 + g);
    low = b1 * f0 + low;
    low = b1 * n + low;
    REAL all = b0 * f0 + low;
    all = large + all;
    const REAL shifted = all + 12582912.0f;
    REAL r = large - (shifted - 12582912.0f);
    r = b0 * f0 + r;
    r = r + low;
    const REAL square = r * r;
    const REAL p0 = r * 6.9314724e-1f + 1.0f, p1 = r * 5.5503137e-2f + 2.4022652e-1f;
    const REAL p2 = r * 1.3405732e-3f + 9.6179843e-3f;
    REAL p = square * 1.5481872e-4f + p2;
    p = p * square + p1;
    p = p * square + p0;
    REAL y = REAL_OF((WHOLE)((UWHOLE)BITS(p) + ((UWHOLE)BITS(shifted) << 23)));
    const WHOLE plain = (a >= 1.17549435e-38f) & (a < INFINITY) & (NAME(magnitude)(all) < 125.0f);
    WHERE(plain == 0, y, powf, a, b);
    return y;
}

/* a**(quarters/4), of a constant from -7 to -1 that is not -4. y is a guess by the bits of a, right
 * to some percent; the result is y t**(-1/4), of t = a**n y**4, as y + y u p of u = 1 - t, which is
 * small. The library's function is asked for factors with which something would overflow on the
 * way, and those that are no positive numbers. */
static inline __attribute__((always_inline)) REAL NAME(quarter_power)(REAL a, int quarters) {
    const int n = -quarters;
    const uint32_t first[] = {0,           0x4f5819eau, 0x5f370876u, 0x6f14621du,
                              0x7f000000u, 0x8ed095cdu, 0x9eaf5808u, 0xae8cca23u};
    const UWHOLE bits = (UWHOLE)BITS(a), part = bits >> (n % 2 ? 2 : 1);
    const UWHOLE rest = n < 3 ? first[n] - part : first[n] - bits;
    const UWHOLE guess = n == 7 ? rest - bits + part
                         : n > 4 ? rest - part
                         : n == 3 ? rest + part
                                  : rest;
    const REAL y = REAL_OF((WHOLE)guess), b = a * y, c = n > 4 ? a * b : y;
    const REAL half = n == 2 ? b * y : b * b * a;
    const REAL u = n % 2 == 0 ? 1.0f - half * half
                   : n == 1   ? 1.0f - (y * y) * (b * y)
                   : n == 7   ? 1.0f - (c * c) * (c * b)
                              : 1.0f - (b * b) * (b * c);
    REAL p;
    if (n < 4) {
        p = u * 7.46797385e-2f + 8.42843552e-2f;
        p = p * u + 9.51355228e-2f;
        p = p * u + 1.17138154e-1f;
        p = p * u + 1.56250487e-1f;
        p = p * u + 2.50000177e-1f;
    } else {
        p = u * 6.80004471e-2f + 7.25883403e-2f;
        p = p * u + 7.00506078e-2f;
        p = p * u + 8.04148212e-2f;
        p = p * u + 9.52366245e-2f;
        p = p * u + 1.17197826e-1f;
        p = p * u + 1.56249800e-1f;
        p = p * u + 2.49999947e-1f;
    }
    p = p * u;
    REAL z = p * y + y;
    const WHOLE far = (WHOLE)((bits - 0x20000000u) & 0xc0000000u); /* 0 from 2**-63 up to 2**65 */
    WHERE(far, z, powf, a, ALL(-0.25f * n));
    return z;
}
