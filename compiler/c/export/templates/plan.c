/* An argument: what it is, and a number of bytes from there on, or its value. */
typedef struct {
    enum { WEIGHTS, STATE, ARENA, INPUT, OUTPUT, SIZE, NUMBER } kind;
    union {
        int64_t whole;
        float real;
    } is;
} plan_argument;

/* A kernel, its programs, those along the grid's first axis, bytes that it may look at. */
typedef struct {
    kernel_function *kernel;
    int64_t programs, across, nbytes;
    int64_t count;
    const plan_argument *arguments;
} plan_step;

#define AT(base, number) {.kind = base, .is.whole = number}
#define SIZED(number) {.kind = SIZE, .is.whole = number}
#define REAL_NUMBER(number) {.kind = NUMBER, .is.real = number}
