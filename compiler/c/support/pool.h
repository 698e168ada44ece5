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
    int64_t grain; /* programs that a thread takes at a time; all: the caller runs them alone */
} kernel_launch;

/* Run launches in order. Up to `threads` threads, the caller among them, take part; while others
 * do, the caller is alone. Which thread runs a program makes no difference to what it computes. */
void run_launches(const kernel_launch *launches, int64_t count, int64_t threads);

/* A function for launches: copies given[2] bytes from given[1] to given[0]; a program, 4096. */
void copy_bytes(const kernel_argument *given, int64_t begin, int64_t end, int64_t across);
#endif
