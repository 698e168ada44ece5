/* @title@
 *
 *     example_net *net;
 *     char problem[256];
 *     int code = example_net_open(&net, "example_net.weights", problem, sizeof problem);
 *     if (code) return fail(problem);
 *     const void *inputs[] = {@input_list@};
 *     void *outputs[] = {@output_list@};
 *     example_net_run(net, inputs, outputs);
 *     example_net_close(net);
 *
 * Tensors are arrays of the caller's, row-major: elements of the last axis lie side by side.
@tensors@
 *
 * Nothing is shared between nets but the weights, which are only read: several may be open at once.
 * Several threads may run one net; they take turns. Link with -lm and -lpthread.
 */
#ifndef EXAMPLE_NET_H
#define EXAMPLE_NET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { EXAMPLE_NET_INPUTS = @inputs@, EXAMPLE_NET_OUTPUTS = @outputs@, EXAMPLE_NET_RANK = @rank@ };

/* What functions return. */
enum {
    EXAMPLE_NET_OK,
    EXAMPLE_NET_NO_MEMORY,      /* the system has too little memory, or gives no lock */
    EXAMPLE_NET_NO_WEIGHTS,     /* the file with the weights cannot be read */
    EXAMPLE_NET_WRONG_WEIGHTS,  /* they are damaged, or of another net */
    EXAMPLE_NET_WRONG_CPU,      /* it lacks instructions that the kernels were compiled to */
    EXAMPLE_NET_WRONG_ARGUMENT  /* a pointer is NULL */
};

/* An input or output: `count` elements of `type` ("float32", "int32", "uint32" or "bool8"), which
 * take `nbytes`; the first `rank` numbers of `shape` are its extents. */
typedef struct {
    const char *name;
    const char *type;
    int rank;
    int64_t shape[EXAMPLE_NET_RANK];
    int64_t count;
    size_t nbytes;
} example_net_tensor;

/* In the order in which example_net_run() takes them; behind the last, one with the name NULL. */
extern const example_net_tensor example_net_inputs[EXAMPLE_NET_INPUTS + 1];
extern const example_net_tensor example_net_outputs[EXAMPLE_NET_OUTPUTS + 1];

/* A net with its memory (@memory@ bytes, besides the weights) and threads. */
typedef struct example_net example_net;

/* Make a net ready to run. It has as many threads as this process may use processors.
 *
 * weights: a file, example_net.weights; NULL: those that were linked in (example_net_weights.S).
 * problem: where to put a sentence about what is wrong, up to `size` bytes of it; may be NULL.
 *
 * Returns EXAMPLE_NET_OK, or why there is none; then *net is NULL. */
int example_net_open(example_net **net, const char *weights, char *problem, size_t size);

/* Let up to so many threads run it, the calling one among them; 0: as many as there are processors.
 * Results are the same, bit for bit. Threads are made when they are needed first. */
int example_net_set_threads(example_net *net, int threads);

/* Compute the outputs from the inputs. inputs[i] holds the elements of example_net_inputs[i],
 * outputs[i] has room for those of example_net_outputs[i]. Memory of outputs overlaps nothing.
 *
 * Returns EXAMPLE_NET_OK or EXAMPLE_NET_WRONG_ARGUMENT. */
int example_net_run(example_net *net, const void *const inputs[], void *const outputs[]);

/* Forget what was kept from run to run (in recurrent layers), as after example_net_open(). */
int example_net_reset(example_net *net);

/* Free its memory and end its threads. NULL is fine. Nobody may be running it. */
void example_net_close(example_net *net);

/* What a number that a function returned means, as a sentence. */
const char *example_net_message(int code);

#ifdef __cplusplus
}
#endif
#endif
