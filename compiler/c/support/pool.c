/* A pool of threads: as many as were asked for so far, waiting for launches.
 *
 * The programs of a launch are cut into chunks, and these into a share for each thread. A thread
 * takes the chunks of its share, then what is left of the others'. A share is one word (the number
 * of the launch, the chunk that is next, where they end), so that a thread which comes late takes
 * nothing of another launch than it meant. A launch is over when all its chunks are done: a thread
 * that the system did not run in the meantime is not waited for.
 *
 * Idle threads watch the number of the launch for a while, then sleep.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pool.h"

enum {
    MOST_THREADS = 256,
    MOST_CHUNKS = 0xffff,      /* of a share */
    STACK = 1 << 20,           /* bytes of a thread's */
    WATCHED = 1 << 17,         /* nanoseconds until an idle thread sleeps */
    WATCHED_INSIDE = 1 << 20,  /* the same between launches of one call */
    IMPATIENT = 1 << 14,       /* nanoseconds after which a waiting caller lets others run */
    COPIED = 4096
};

typedef struct {
    _Alignas(64) _Atomic uint64_t ticket; /* launch << 32 | next << 16 | end */
    int64_t first;
} share;

typedef struct {
    _Alignas(64) _Atomic int asleep;
    pthread_cond_t wake;
    pthread_t id;
} worker;

static struct {
    pthread_mutex_t turn; /* held by whoever uses the threads */
    pthread_mutex_t lock; /* of sleeping */
    _Alignas(64) _Atomic uint32_t launch;
    _Atomic int threads, inside, crowded, ended;
    _Alignas(64) _Atomic int64_t done;
    kernel_launch now;
    share shares[MOST_THREADS];
    worker workers[MOST_THREADS]; /* from 1 on */
    int started;                  /* of them; and the caller, who is 0 */
} pool = {.turn = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .started = 1};

static inline void pause_a_little(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Take chunks of a launch until none is left. */
static void take_part(uint32_t launch, int me, int threads) {
    for (int i = 0; i < threads; ++i) {
        share *from = &pool.shares[(me + i) % threads];
        uint64_t ticket = atomic_load_explicit(&from->ticket, memory_order_acquire);
        for (;;) {
            const uint64_t next = ticket >> 16 & 0xffff, end = ticket & 0xffff;
            if (ticket >> 32 != launch) return;
            if (next >= end) break;
            if (!atomic_compare_exchange_weak_explicit(&from->ticket, &ticket, ticket + (1 << 16),
                                                       memory_order_acq_rel, memory_order_acquire))
                continue;
            /* The launch is not over before this chunk is done: it may be looked at. */
            const kernel_launch *now = &pool.now;
            const int64_t begin = from->first + (int64_t)next * now->grain, stop = begin + now->grain;
            now->function(now->given, begin, stop < now->programs ? stop : now->programs, now->across);
            atomic_fetch_add_explicit(&pool.done, 1, memory_order_release);
            ticket = atomic_load_explicit(&from->ticket, memory_order_acquire);
        }
    }
}

/* Whether a worker takes part in a launch after the one that it saw. */
static int wanted(int me, uint32_t seen) {
    return atomic_load(&pool.launch) != seen && me < atomic_load(&pool.threads);
}

static int ended(void) { return atomic_load_explicit(&pool.ended, memory_order_relaxed); }

/* Wait until it is wanted. */
static void idle(int me, uint32_t seen) {
    const int64_t begin = nanoseconds();
    for (unsigned i = 1; !atomic_load_explicit(&pool.crowded, memory_order_relaxed); ++i) {
        if (wanted(me, seen) || ended()) return;
        pause_a_little();
        if (i % 32) continue;
        const int inside = atomic_load_explicit(&pool.inside, memory_order_relaxed);
        if (nanoseconds() - begin > (inside ? WATCHED_INSIDE : WATCHED)) break;
    }
    worker *self = &pool.workers[me];
    pthread_mutex_lock(&pool.lock);
    atomic_store(&self->asleep, 1);
    while (!wanted(me, seen) && !ended()) pthread_cond_wait(&self->wake, &pool.lock);
    atomic_store(&self->asleep, 0);
    pthread_mutex_unlock(&pool.lock);
}

static void *work(void *number) {
    const int me = (int)(intptr_t)number;
#ifdef __linux__
    char name[16];
    snprintf(name, sizeof name, "roastery-%d", me);
    pthread_setname_np(pthread_self(), name);
#endif
    uint32_t seen = 0;
    for (idle(me, seen); !ended(); idle(me, seen)) {
        seen = atomic_load(&pool.launch);
        take_part(seen, me, atomic_load(&pool.threads));
    }
    return NULL;
}

static void wake(int threads) {
    for (int i = 1; i < threads; ++i) {
        if (!atomic_load(&pool.workers[i].asleep)) continue;
        pthread_mutex_lock(&pool.lock);
        pthread_cond_signal(&pool.workers[i].wake);
        pthread_mutex_unlock(&pool.lock);
    }
}

/* A fork has no threads but the one that forked. */
static void forget(void) {
    pthread_mutex_init(&pool.turn, NULL);
    pthread_mutex_init(&pool.lock, NULL);
    for (int i = 0; i < MOST_THREADS; ++i) {
        atomic_store(&pool.shares[i].ticket, 0);
        atomic_store(&pool.workers[i].asleep, 0);
    }
    atomic_store(&pool.inside, 0);
    pool.started = 1;
}

static void end(void) {
    if (pool.started == 1 || pthread_mutex_trylock(&pool.turn)) return;
    atomic_store(&pool.ended, 1);
    wake(pool.started);
    while (pool.started > 1) pthread_join(pool.workers[--pool.started].id, NULL);
    pthread_mutex_unlock(&pool.turn);
}

__attribute__((constructor)) static void begin_pool(void) { pthread_atfork(NULL, NULL, forget); }
__attribute__((destructor)) static void end_pool(void) { end(); }

static int processors(void) {
#ifdef __linux__
    cpu_set_t allowed;
    if (!sched_getaffinity(0, sizeof allowed, &allowed)) return CPU_COUNT(&allowed);
#endif
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static void start(int most) {
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the caller's */
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    for (; pool.started < most; ++pool.started) {
        worker *next = &pool.workers[pool.started];
        pthread_cond_init(&next->wake, NULL);
        if (pthread_create(&next->id, &attributes, work, (void *)(intptr_t)pool.started)) break;
    }
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* So many threads, the caller among them, or as many as the system gives. */
static int with_threads(int64_t asked) {
    const int most = asked > MOST_THREADS ? MOST_THREADS : (int)asked;
    if (pool.started < most && !ended()) start(most);
    const int threads = pool.started < most ? pool.started : most;
    atomic_store(&pool.crowded, threads > processors());
    return threads;
}

static void divide(const kernel_launch *one, int threads) {
    const uint32_t launch = atomic_load_explicit(&pool.launch, memory_order_relaxed) + 1;
    pool.now = *one;
    int64_t chunks = (one->programs - 1) / one->grain + 1;
    if (chunks > (int64_t)threads * MOST_CHUNKS) {
        pool.now.grain = (one->programs - 1) / ((int64_t)threads * MOST_CHUNKS) + 1;
        chunks = (one->programs - 1) / pool.now.grain + 1;
    }
    atomic_store_explicit(&pool.done, 0, memory_order_relaxed);
    atomic_store_explicit(&pool.threads, threads, memory_order_relaxed);
    for (int i = 0; i < threads; ++i) {
        const int64_t from = chunks * i / threads, to = chunks * (i + 1) / threads;
        pool.shares[i].first = from * pool.now.grain;
        const uint64_t ticket = (uint64_t)launch << 32 | (uint64_t)(to - from);
        atomic_store_explicit(&pool.shares[i].ticket, ticket, memory_order_release);
    }
    atomic_store(&pool.launch, launch);
    wake(threads);
    take_part(launch, 0, threads);
    int64_t since = 0;
    for (unsigned i = 1; atomic_load_explicit(&pool.done, memory_order_acquire) < chunks; ++i) {
        pause_a_little();
        if (i % 32) continue;
        const int64_t now = nanoseconds();
        if (!since) since = now;
        if (now - since > IMPATIENT) sched_yield();
    }
}

static void alone(const kernel_launch *one) {
    one->function(one->given, 0, one->programs, one->across);
}

void run_launches(const kernel_launch *launches, int64_t count, int64_t threads) {
    const int together = threads > 1 && !pthread_mutex_trylock(&pool.turn);
    const int ready = together ? with_threads(threads) : 1;
    if (together) atomic_store_explicit(&pool.inside, 1, memory_order_relaxed);
    for (const kernel_launch *one = launches; one < launches + count; ++one)
        if (ready > 1 && one->grain < one->programs)
            divide(one, ready);
        else if (one->programs > 0)
            alone(one);
    if (!together) return;
    atomic_store_explicit(&pool.inside, 0, memory_order_relaxed);
    pthread_mutex_unlock(&pool.turn);
}

void copy_bytes(const kernel_argument *given, int64_t begin, int64_t end, int64_t across) {
    (void)across;
    const int64_t from = begin * COPIED, all = given[2].size;
    const int64_t to = end * COPIED < all ? end * COPIED : all;
    memcpy((char *)given[0].pointer + from, (const char *)given[1].pointer + from, (size_t)(to - from));
}
