enum {
    ALIGNED = 64,
    HEADER = 64 /* bytes before the weights in their file */
};

struct example_net {
    pthread_mutex_t turn;
    int threads;
    pool *pool;
    const unsigned char *weights;
    unsigned char *memory, *arena, *state;
    kernel_argument *arguments;
    kernel_launch *launches;
    void *mapped; /* NULL: the weights were linked in */
    size_t mapped_bytes;
};

typedef struct {
    char magic[8];
    uint64_t net, nbytes, checksum;
} weights_header;

#ifdef EXAMPLE_NET_LINKED
extern const unsigned char example_net_linked[], example_net_linked_end[];
#endif

ANYWHERE static int failed(int code, char *problem, size_t size, const char *weights,
                           const char *why) {
    if (problem && size) snprintf(problem, size, "%s: %s", weights, why);
    return code;
}

/* Differs where a word does, or where two changed places. */
static uint64_t checksum(const unsigned char *data, size_t nbytes) {
    uint64_t sum = 0;
    for (size_t i = 0; i < nbytes / 8; ++i) {
        uint64_t word;
        memcpy(&word, data + 8 * i, 8);
        sum += (word ^ word >> 29) * (2 * (uint64_t)i + 1);
    }
    return sum;
}

static const char *wrong(const unsigned char *data, size_t nbytes) {
    weights_header header;
    if (nbytes < HEADER) return "is too short for a file of weights";
    memcpy(&header, data, sizeof header);
    if (memcmp(header.magic, "roastery", sizeof header.magic)) return "is no file of weights";
    if (header.net != NET_IDENTITY)
        return "holds the weights of another net, or of another export of it";
    if (header.nbytes != WEIGHTS_BYTES || nbytes != HEADER + WEIGHTS_BYTES)
        return "is not of the size that it should have: it was cut or changed";
    if (header.checksum != checksum(data + HEADER, WEIGHTS_BYTES))
        return "is damaged: its checksum differs";
    return NULL;
}

static int map_weights(example_net *net, const char *path, char *problem, size_t size) {
    struct stat about;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return failed(EXAMPLE_NET_NO_WEIGHTS, problem, size, path, strerror(errno));
    if (fstat(file, &about) || !S_ISREG(about.st_mode)) {
        close(file);
        return failed(EXAMPLE_NET_NO_WEIGHTS, problem, size, path, "is no file");
    }
    const size_t nbytes = (size_t)about.st_size;
    void *mapped = nbytes ? mmap(NULL, nbytes, PROT_READ, MAP_PRIVATE, file, 0) : NULL;
    const int error = errno;
    close(file);
    if (mapped == MAP_FAILED)
        return failed(EXAMPLE_NET_NO_WEIGHTS, problem, size, path, strerror(error));
    net->mapped = mapped;
    net->mapped_bytes = nbytes;
    const char *why = wrong(mapped, nbytes);
    if (why) return failed(EXAMPLE_NET_WRONG_WEIGHTS, problem, size, path, why);
    net->weights = (const unsigned char *)mapped + HEADER;
    return EXAMPLE_NET_OK;
}

static int linked_weights(example_net *net, char *problem, size_t size) {
#ifdef EXAMPLE_NET_LINKED
    const char *why =
        wrong(example_net_linked, (size_t)(example_net_linked_end - example_net_linked));
    if (why)
        return failed(EXAMPLE_NET_WRONG_WEIGHTS, problem, size, "the weights that were linked in",
                      why);
    net->weights = example_net_linked + HEADER;
    return EXAMPLE_NET_OK;
#else
    (void)net;
    return failed(EXAMPLE_NET_NO_WEIGHTS, problem, size, "example_net_open",
                  "no file of weights is named, and none were linked in (compile with "
                  "-DEXAMPLE_NET_LINKED, and example_net_weights.S)");
#endif
}

static unsigned char *aligned(unsigned char *memory) {
    return memory + (ALIGNED - (uintptr_t)memory % ALIGNED) % ALIGNED;
}

static kernel_argument given(const example_net *net, const plan_argument *a,
                             const void *const inputs[], void *const outputs[]) {
    kernel_argument made = {.size = a->is.whole};
    switch (a->kind) {
    case WEIGHTS: made.pointer = (void *)(uintptr_t)(net->weights + a->is.whole); break;
    case STATE: made.pointer = net->state + a->is.whole; break;
    case ARENA: made.pointer = net->arena + a->is.whole; break;
    case INPUT: made.pointer = inputs ? (void *)(uintptr_t)inputs[a->is.whole] : NULL; break;
    case OUTPUT: made.pointer = outputs ? outputs[a->is.whole] : NULL; break;
    case NUMBER: made.number = a->is.real; break;
    case SIZE: break;
    }
    return made;
}

static void fill_arguments(example_net *net, const void *const inputs[], void *const outputs[]) {
    kernel_argument *next = net->arguments;
    for (int64_t i = 0; i < STEPS; ++i)
        for (int64_t j = 0; j < plan[i].count; ++j)
            *next++ = given(net, &plan[i].arguments[j], inputs, outputs);
}

static int make_memory(example_net *net) {
    size_t arguments = 0;
    for (int64_t i = 0; i < STEPS; ++i) arguments += (size_t)plan[i].count;
    net->memory = calloc(1, (size_t)ARENA_BYTES + STATE_BYTES + 2 * ALIGNED);
    net->arguments = calloc(arguments + 1, sizeof *net->arguments);
    net->launches = calloc(STEPS + 1, sizeof *net->launches);
    net->pool = pool_new();
    if (!net->memory || !net->arguments || !net->launches || !net->pool) return 0;
    net->arena = aligned(net->memory);
    net->state = aligned(net->arena + ARENA_BYTES);
    kernel_argument *next = net->arguments;
    for (int64_t i = 0; i < STEPS; ++i) {
        net->launches[i] =
            (kernel_launch){plan[i].kernel, next, plan[i].programs, plan[i].across, plan[i].nbytes};
        next += plan[i].count;
    }
    return 1;
}

static int opened(example_net **made, const char *weights, char *problem, size_t size) {
    example_net *net = calloc(1, sizeof *net);
    if (!net)
        return failed(EXAMPLE_NET_NO_MEMORY, problem, size, "example_net_open", strerror(ENOMEM));
    if (pthread_mutex_init(&net->turn, NULL)) {
        free(net);
        return failed(EXAMPLE_NET_NO_MEMORY, problem, size, "example_net_open", "there is no lock");
    }
    int code =
        weights ? map_weights(net, weights, problem, size) : linked_weights(net, problem, size);
    if (!code && !make_memory(net))
        code = failed(EXAMPLE_NET_NO_MEMORY, problem, size, "example_net_open", strerror(ENOMEM));
    if (code) {
        example_net_close(net);
        return code;
    }
    example_net_set_threads(net, 0);
    example_net_reset(net);
    *made = net;
    return EXAMPLE_NET_OK;
}

ANYWHERE int example_net_open(example_net **made, const char *weights, char *problem, size_t size) {
    if (!made)
        return failed(EXAMPLE_NET_WRONG_ARGUMENT, problem, size, "example_net_open", "net is NULL");
    *made = NULL;
    if (!able())
        return failed(EXAMPLE_NET_WRONG_CPU, problem, size, "this CPU",
                      "lacks instructions of " INSTRUCTIONS
                      "; export the net with another --cpu-baseline");
    return opened(made, weights, problem, size);
}

int example_net_set_threads(example_net *net, int threads) {
    if (!net || threads < 0) return EXAMPLE_NET_WRONG_ARGUMENT;
    pthread_mutex_lock(&net->turn);
    net->threads = threads ? threads : processors();
    pthread_mutex_unlock(&net->turn);
    return EXAMPLE_NET_OK;
}

int example_net_reset(example_net *net) {
    if (!net) return EXAMPLE_NET_WRONG_ARGUMENT;
    pthread_mutex_lock(&net->turn);
    memcpy(net->state, net->weights + STATE_AT, STATE_BYTES);
    pthread_mutex_unlock(&net->turn);
    return EXAMPLE_NET_OK;
}

int example_net_run(example_net *net, const void *const inputs[], void *const outputs[]) {
    if (!net || (EXAMPLE_NET_INPUTS > 0 && !inputs) || (EXAMPLE_NET_OUTPUTS > 0 && !outputs))
        return EXAMPLE_NET_WRONG_ARGUMENT;
    for (int i = 0; i < EXAMPLE_NET_INPUTS; ++i)
        if (!inputs[i]) return EXAMPLE_NET_WRONG_ARGUMENT;
    for (int i = 0; i < EXAMPLE_NET_OUTPUTS; ++i)
        if (!outputs[i]) return EXAMPLE_NET_WRONG_ARGUMENT;
    pthread_mutex_lock(&net->turn);
    fill_arguments(net, inputs, outputs);
    run_launches(net->pool, net->launches, STEPS, net->threads);
    pthread_mutex_unlock(&net->turn);
    return EXAMPLE_NET_OK;
}

void example_net_close(example_net *net) {
    if (!net) return;
    if (net->pool) pool_end(net->pool);
    free(net->pool);
    free(net->launches);
    free(net->arguments);
    free(net->memory);
    if (net->mapped) munmap(net->mapped, net->mapped_bytes);
    pthread_mutex_destroy(&net->turn);
    free(net);
}

const char *example_net_message(int code) {
    switch (code) {
    case EXAMPLE_NET_OK: return "all is well";
    case EXAMPLE_NET_NO_MEMORY: return "there is too little memory";
    case EXAMPLE_NET_NO_WEIGHTS: return "the file with the weights cannot be read";
    case EXAMPLE_NET_WRONG_WEIGHTS: return "the weights are damaged, or of another net";
    case EXAMPLE_NET_WRONG_CPU: return "this CPU lacks instructions of " INSTRUCTIONS;
    case EXAMPLE_NET_WRONG_ARGUMENT: return "a pointer is NULL, or a number of threads is negative";
    }
    return "unknown";
}
