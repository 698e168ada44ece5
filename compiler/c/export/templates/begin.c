/* @title@
 *
 * The interface is in example_net.h, and at the end of this file. Before it stand what C lacks, the
 * kernels, the threads that run them, and the plan: which kernel runs on which memory.
 *
 * Printed for CPUs with the instructions of @instructions@, by vectors of @lanes@ floats. Another CPU takes
 * another printout: roastery export --target c --cpu-baseline with one of
 * @others@. (@options_of@)
 */
#if !defined __GNUC__
#error "this file needs the vector extensions of gcc or clang"
#endif
#if !defined __linux__ && !defined __APPLE__
#error "this file needs POSIX threads and mmap"
#endif
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the weights are in little-endian order"
#endif
@options@
@check@
#define _GNU_SOURCE /* how many processors this process may use */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "example_net.h"
