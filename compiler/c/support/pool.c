/* Pools of threads: as many as were asked for so far, waiting for launches.
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
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "pool.h"

enum {
    MOST_THREADS = 256,
    ALONE = 1 << 15,           /* a launch on fewer bytes is done before others have heard of it */
    CHUNKS = 4,                /* parts that a thread does of a launch: who is done early helps */
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
    pool *of;
    int number;
} worker;

struct pool {
    pthread_mutex_t turn; /* held by whoever uses the threads */
    pthread_mutex_t lock; /* of sleeping */
    _Alignas(64) _Atomic uint32_t launch;
    _Atomic int threads, inside, crowded, ended;
    _Alignas(64) _Atomic int64_t done;
    kernel_launch now;
    int64_t grain; /* programs that a thread takes of it at a time */
    share shares[MOST_THREADS];
    worker workers[MOST_THREADS]; /* from 1 on */
    int started;                  /* of them; and the caller, who is 0 */
    pid_t owner;                  /* the process in which they run */
};

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
static void take_part(pool *p, uint32_t launch, int me, int threads) {
    for (int i = 0; i < threads; ++i) {
        share *from = &p->shares[(me + i) % threads];
        uint64_t ticket = atomic_load_explicit(&from->ticket, memory_order_acquire);
        for (;;) {
            const uint64_t next = ticket >> 16 & 0xffff, end = ticket & 0xffff;
            if (ticket >> 32 != launch) return;
            if (next >= end) break;
            if (!atomic_compare_exchange_weak_explicit(&from->ticket, &ticket, ticket + (1 << 16),
                                                       memory_order_acq_rel, memory_order_acquire))
                continue;
            /* The launch is not over before this chunk is done: it may be looked at. */
            const kernel_launch *now = &p->now;
            const int64_t begin = from->first + (int64_t)next * p->grain, stop = begin + p->grain;
            now->function(now->given, begin, stop < now->programs ? stop : now->programs, now->across);
            atomic_fetch_add_explicit(&p->done, 1, memory_order_release);
            ticket = atomic_load_explicit(&from->ticket, memory_order_acquire);
        }
    }
}

/* Whether a worker takes part in a launch after the one that it saw. */
static int wanted(const pool *p, int me, uint32_t seen) {
    return atomic_load(&p->launch) != seen && me < atomic_load(&p->threads);
}

static int ended(const pool *p) { return atomic_load_explicit(&p->ended, memory_order_relaxed); }

/* Wait until it is wanted. */
static void idle(pool *p, int me, uint32_t seen) {
    const int64_t begin = nanoseconds();
    for (unsigned i = 1; !atomic_load_explicit(&p->crowded, memory_order_relaxed); ++i) {
        if (wanted(p, me, seen) || ended(p)) return;
        pause_a_little();
        if (i % 32) continue;
        const int inside = atomic_load_explicit(&p->inside, memory_order_relaxed);
        if (nanoseconds() - begin > (inside ? WATCHED_INSIDE : WATCHED)) break;
    }
    worker *self = &p->workers[me];
    pthread_mutex_lock(&p->lock);
    atomic_store(&self->asleep, 1);
    while (!wanted(p, me, seen) && !ended(p)) pthread_cond_wait(&self->wake, &p->lock);
    atomic_store(&self->asleep, 0);
    pthread_mutex_unlock(&p->lock);
}

static void *work(void *given) {
    const worker *self = given;
    pool *p = self->of;
    const int me = self->number;
#ifdef __linux__
    char name[16];
    snprintf(name, sizeof name, "roastery-%d", me);
    pthread_setname_np(pthread_self(), name);
#endif
    uint32_t seen = 0;
    for (idle(p, me, seen); !ended(p); idle(p, me, seen)) {
        seen = atomic_load(&p->launch);
        take_part(p, seen, me, atomic_load(&p->threads));
    }
    return NULL;
}

static void wake(pool *p, int threads) {
    for (int i = 1; i < threads; ++i) {
        if (!atomic_load(&p->workers[i].asleep)) continue;
        pthread_mutex_lock(&p->lock);
        pthread_cond_signal(&p->workers[i].wake);
        pthread_mutex_unlock(&p->lock);
    }
}

/* A fork has no threads but the one that forked. */
static void forget(pool *p) {
    pthread_mutex_init(&p->turn, NULL);
    pthread_mutex_init(&p->lock, NULL);
    for (int i = 0; i < MOST_THREADS; ++i) {
        atomic_store(&p->shares[i].ticket, 0);
        atomic_store(&p->workers[i].asleep, 0);
    }
    atomic_store(&p->inside, 0);
    p->started = 1;
    p->owner = getpid();
}

static void pool_end(pool *p) {
    if (p->started == 1 || p->owner != getpid() || pthread_mutex_trylock(&p->turn)) return;
    atomic_store(&p->ended, 1);
    wake(p, p->started);
    while (p->started > 1) pthread_join(p->workers[--p->started].id, NULL);
    pthread_mutex_unlock(&p->turn);
}

static pool *pool_new(void) {
    pool *p = aligned_alloc(_Alignof(pool), sizeof *p);
    if (!p) return NULL;
    memset(p, 0, sizeof *p);
    forget(p);
    return p;
}

static int processors(void) {
#ifdef __linux__
    cpu_set_t allowed;
    if (!sched_getaffinity(0, sizeof allowed, &allowed)) return CPU_COUNT(&allowed);
#endif
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static void start(pool *p, int most) {
    sigset_t all, before;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the caller's */
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    for (; p->started < most; ++p->started) {
        worker *next = &p->workers[p->started];
        next->of = p;
        next->number = p->started;
        pthread_cond_init(&next->wake, NULL);
        if (pthread_create(&next->id, &attributes, work, next)) break;
    }
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* So many threads, the caller among them, or as many as the system gives. */
static int with_threads(pool *p, int64_t asked) {
    const int most = asked > MOST_THREADS ? MOST_THREADS : (int)asked;
    if (p->started < most && !ended(p)) start(p, most);
    const int threads = p->started < most ? p->started : most;
    atomic_store(&p->crowded, threads > processors());
    return threads;
}

/* Programs that a thread takes at a time. */
static int64_t grain_of(const kernel_launch *one, int threads) {
    if (one->nbytes < ALONE || threads == 1 || !one->programs) return one->programs;
    return (one->programs - 1) / ((int64_t)threads * CHUNKS) + 1;
}

static void divide(pool *p, const kernel_launch *one, int64_t grain, int threads) {
    const uint32_t launch = atomic_load_explicit(&p->launch, memory_order_relaxed) + 1;
    p->now = *one;
    int64_t chunks = (one->programs - 1) / grain + 1;
    if (chunks > (int64_t)threads * MOST_CHUNKS) {
        grain = (one->programs - 1) / ((int64_t)threads * MOST_CHUNKS) + 1;
        chunks = (one->programs - 1) / grain + 1;
    }
    p->grain = grain;
    atomic_store_explicit(&p->done, 0, memory_order_relaxed);
    atomic_store_explicit(&p->threads, threads, memory_order_relaxed);
    for (int i = 0; i < threads; ++i) {
        const int64_t from = chunks * i / threads, to = chunks * (i + 1) / threads;
        p->shares[i].first = from * grain;
        const uint64_t ticket = (uint64_t)launch << 32 | (uint64_t)(to - from);
        atomic_store_explicit(&p->shares[i].ticket, ticket, memory_order_release);
    }
    atomic_store(&p->launch, launch);
    wake(p, threads);
    take_part(p, launch, 0, threads);
    int64_t since = 0;
    for (unsigned i = 1; atomic_load_explicit(&p->done, memory_order_acquire) < chunks; ++i) {
        pause_a_little();
        if (i % 32) continue;
        const int64_t now = nanoseconds();
        if (!since) since = now;
        if (now - since > IMPATIENT) sched_yield();
    }
}

static void alone(const kernel_launch *one) {
    if (one->programs > 0) one->function(one->given, 0, one->programs, one->across);
}

static void run_launches(pool *p, const kernel_launch *launches, int64_t count, int64_t threads) {
    if (threads > 1 && p->owner != getpid()) forget(p);
    const int together = threads > 1 && !pthread_mutex_trylock(&p->turn);
    const int ready = together ? with_threads(p, threads) : 1;
    if (together) atomic_store_explicit(&p->inside, 1, memory_order_relaxed);
    for (const kernel_launch *one = launches; one < launches + count; ++one) {
        const int64_t grain = grain_of(one, ready);
        if (grain < one->programs) divide(p, one, grain, ready);
        else alone(one);
    }
    if (!together) return;
    atomic_store_explicit(&p->inside, 0, memory_order_relaxed);
    pthread_mutex_unlock(&p->turn);
}

static void copy_bytes(const kernel_argument *given, int64_t begin, int64_t end, int64_t across) {
    (void)across;
    const int64_t from = begin * COPIED, all = given[2].size;
    const int64_t to = end * COPIED < all ? end * COPIED : all;
    memcpy((char *)given[0].pointer + from, (const char *)given[1].pointer + from, (size_t)(to - from));
}
