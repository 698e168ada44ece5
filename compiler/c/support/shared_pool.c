/* One pool for a whole process. */
static pool *shared;

static void forget_shared(void) { forget(shared); }

__attribute__((constructor)) static void begin_shared(void) {
    shared = pool_new();
    if (shared) pthread_atfork(NULL, NULL, forget_shared);
}
__attribute__((destructor)) static void end_shared(void) {
    if (shared) pool_end(shared); /* somebody may still run launches, alone */
}

void run_shared(const kernel_launch *launches, int64_t count, int64_t threads) {
    if (shared) run_launches(shared, launches, count, threads);
    else for (const kernel_launch *one = launches; one < launches + count; ++one) alone(one);
}

void copy_shared(const kernel_argument *given, int64_t begin, int64_t end, int64_t across) {
    copy_bytes(given, begin, end, across);
}
