/* Kernels run one after the other, the programs of each by several threads. */
#ifndef POOL_H
#define POOL_H
#include <stdint.h>

#ifndef KERNEL_ARGUMENT
#define KERNEL_ARGUMENT
/* One argument of a kernel: the address of a buffer, a size, a number. */
typedef union {
    void *pointer;
    int64_t size;
    float number;
} kernel_argument;
#endif

/* Runs the programs from begin on up to end; `across` is the grid's first axis. */
typedef void kernel_function(const kernel_argument *given, int64_t begin, int64_t end, int64_t across);

typedef struct {
    kernel_function *function;
    const kernel_argument *given;
    int64_t programs, across;
    int64_t nbytes; /* that it may look at: few are done by the caller alone */
} kernel_launch;

typedef struct pool pool;

/* Memory that free() takes; NULL: there is none. Threads are made when they are asked for first. */
static pool *pool_new(void);

/* End its threads, unless somebody runs launches. Who does later is alone. */
static void pool_end(pool *p);

/* Run launches in order. Up to `threads` threads, the caller among them, take part; while others
 * do, the caller is alone. Which thread runs a program makes no difference to what it computes. */
static void run_launches(pool *p, const kernel_launch *launches, int64_t count, int64_t threads);

/* A function for launches: copies given[2] bytes from given[1] to given[0]; a program, 4096. */
static void copy_bytes(const kernel_argument *given, int64_t begin, int64_t end, int64_t across);
#endif
