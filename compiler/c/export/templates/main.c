/* Runs @name@ on arrays in .npy files, as numpy.save writes them.
@if pictures@
 * Or on pictures, of which it tells the best classes, or the objects in them.
 *
 *     ./net [--top N] [--threshold X] [--threads N] PICTURE|FOLDER ...
@end@
 *
 *     ./net [--weights FILE] [--threads N] [--repeat N] [--output FOLDER] @usage@
 *
 * An example of how example_net.h is used. Change it as you like: it is replaced by the next export
 * only as long as nobody did (seal 0000000000000000).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "example_net.h"
@if pictures@
#include "pictures.h"
@end@

enum { MOST_SHOWN = 10000, LONGEST_HEADER = 1 << 16, LONGEST_PATH = 4096 };

static const char *program = "net"; /* as it is called */

/* Its name without folders. */
static const char *short_name(void) {
    const char *slash = strrchr(program, '/');
    return slash && slash[1] ? slash + 1 : program;
}

static void fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fflush(stdout);
    fprintf(stderr, "%s: ", short_name());
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(EXIT_FAILURE);
}

static void *allocate(size_t nbytes) {
    void *memory = calloc(1, nbytes ? nbytes : 1);
    if (!memory) fail("there is too little memory: %zu bytes are needed", nbytes);
    return memory;
}

/* ---- .npy files ------------------------------------------------------------------------- */

static void print_shape(FILE *to, const int64_t *shape, int rank) {
    fputc('[', to);
    for (int i = 0; i < rank; ++i) fprintf(to, i ? ", %lld" : "%lld", (long long)shape[i]);
    fputc(']', to);
}

static void print_tensor(FILE *to, const example_net_tensor *t) {
    fprintf(to, "%s: %s ", t->name, t->type);
    print_shape(to, t->shape, t->rank);
}

/* What stands behind a key of the header, a dict as Python writes it. */
static const char *value_of(const char *header, const char *key, const char *path) {
    const char *at = strstr(header, key);
    if (at) at += strlen(key);
    while (at && *at == ' ') ++at;
    if (!at || *at != ':') fail("%s: is no .npy file: its header has no %s", path, key);
    do ++at;
    while (*at == ' ');
    return at;
}

static double half(uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double size = exponent == 31 ? (fraction ? NAN : INFINITY)
                        : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                       : ldexp(fraction, -24);
    return bits >> 15 ? -size : size;
}

/* Elements of numpy's kind ('f', 'i', 'u', 'b') and size, as an input has them. */
static void convert(void *to, const char *type, const unsigned char *from, char kind, int size,
                    int64_t count) {
    const int real = !strcmp(type, "float32"), truth = !strcmp(type, "bool8");
    for (int64_t i = 0; i < count; ++i) {
        uint64_t bits = 0;
        memcpy(&bits, from + i * size, (size_t)size);
        double value = 0;
        float single;
        int64_t whole = 0;
        if (kind == 'f') {
            if (size == 8) memcpy(&value, &bits, 8);
            if (size == 4) memcpy(&single, &bits, 4), value = single;
            if (size == 2) value = half((uint16_t)bits);
            single = (float)value;
        } else {
            const int shift = 64 - 8 * size;
            whole = (int64_t)(bits << shift);
            whole = kind == 'i' ? whole >> shift : (int64_t)bits;
            single = kind == 'i' ? (float)whole : (float)bits;
        }
        if (real) memcpy((char *)to + 4 * i, &single, 4);
        else if (truth) ((unsigned char *)to)[i] = whole != 0;
        else memcpy((char *)to + 4 * i, &whole, 4);
    }
}

static void check_shape(const char *text, const example_net_tensor *t, const char *path) {
    const char *at = text;
    int same = *at == '(';
    int rank = 0;
    if (same) ++at;
    while (same && *at != ')') {
        char *end;
        errno = 0;
        const long long extent = strtoll(at, &end, 10);
        same = end != at && !errno && rank < t->rank && extent == t->shape[rank];
        ++rank;
        for (at = end; *at == ' ' || *at == ','; ++at) continue;
    }
    if (same && rank == t->rank) return;
    const char *end = strchr(text, ')');
    fflush(stdout);
    fprintf(stderr, "%s: %s: has the shape %.*s; the net was exported for ", short_name(), path,
            end && end - text < 200 ? (int)(end - text + 1) : 0, text);
    print_tensor(stderr, t);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

static void read_all(FILE *file, void *to, size_t nbytes, const char *path) {
    if (fread(to, 1, nbytes, file) == nbytes) return;
    if (ferror(file)) fail("%s: %s", path, strerror(errno));
    fail("%s: is no whole .npy file: it ends too early", path);
}

/* The elements for an input. */
static void *read_npy(const char *path, const example_net_tensor *t) {
    struct stat about;
    if (stat(path, &about)) fail("%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode)) fail("%s: is no file", path);
    FILE *file = fopen(path, "rb");
    if (!file) fail("%s: %s", path, strerror(errno));
    unsigned char start[12] = {0};
    read_all(file, start, 10, path);
    if (memcmp(start, "\x93NUMPY", 6)) fail("%s: is no .npy file (numpy.save writes them)", path);
    if (start[6] < 1 || start[6] > 3)
        fail("%s: is a .npy file of the unknown version %d", path, start[6]);
    size_t length = start[8] | (size_t)start[9] << 8;
    if (start[6] > 1) {
        read_all(file, start + 10, 2, path);
        length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    }
    if (length > LONGEST_HEADER)
        fail("%s: is no .npy file: its header has %zu bytes", path, length);
    char *header = allocate(length + 1);
    read_all(file, header, length, path);
    const char *descr = value_of(header, "'descr'", path);
    const char kind = descr[0] == '\'' && descr[1] ? descr[2] : 0;
    const int size = kind ? atoi(descr + 3) : 0;
    if (!kind || !strchr("fiub", kind) || !strchr("<>|=", descr[1]) ||
        (size != 1 && size != 2 && size != 4 && size != 8) || (kind == 'f' && size == 1))
        fail("%s: holds elements %.*s, which are no numbers", path, (int)strcspn(descr, "\n,}"),
             descr);
    if (descr[1] == '>' && size > 1)
        fail("%s: is in big-endian order: save array.astype('<%c%d')", path, kind, size);
    if (kind == 'f' && strcmp(t->type, "float32"))
        fail("%s: holds real numbers, input %s takes %s", path, t->name, t->type);
    if (strncmp(value_of(header, "'fortran_order'", path), "False", 5))
        fail("%s: is in Fortran's order: save numpy.ascontiguousarray(array)", path);
    check_shape(value_of(header, "'shape'", path), t, path);
    free(header);
    const size_t nbytes = (size_t)t->count * (size_t)size;
    const long at = ftell(file);
    if (at < 0 || (uint64_t)about.st_size != (uint64_t)at + nbytes)
        fail("%s: is damaged: its header says %zu bytes of elements, it has %lld", path, nbytes,
             (long long)about.st_size - at);
    unsigned char *raw = allocate(nbytes);
    void *made = allocate(t->nbytes);
    read_all(file, raw, nbytes, path);
    fclose(file);
    convert(made, t->type, raw, kind, size, t->count);
    free(raw);
    return made;
}

/* FOLDER/NAME.npy, whole or not at all. */
static void write_npy(const char *folder, int number, const example_net_tensor *t,
                      const void *elements) {
    char path[LONGEST_PATH], partial[LONGEST_PATH + 8], name[256], header[1024];
    int other = 0;
    snprintf(name, sizeof name, "%s", t->name);
    for (char *c = name; *c; ++c) {
        const int plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                          (*c >= '0' && *c <= '9') || *c == '_' || *c == '-' ||
                          (*c == '.' && c > name);
        if (!plain) *c = '_', other = 1;
    }
    int length = other ? snprintf(path, sizeof path, "%s/%s_%d.npy", folder, name, number)
                       : snprintf(path, sizeof path, "%s/%s.npy", folder, name);
    if (length < 0 || (size_t)length >= sizeof path)
        fail("%s: is too long a name for a folder", folder);
    snprintf(partial, sizeof partial, "%s.part", path);
    FILE *file = fopen(partial, "wb");
    if (!file) fail("%s: %s", partial, strerror(errno));
    const char *descr = !strcmp(t->type, "float32")  ? "<f4"
                        : !strcmp(t->type, "int32")  ? "<i4"
                        : !strcmp(t->type, "uint32") ? "<u4"
                                                     : "|b1";
    length = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                      descr);
    for (int i = 0; i < t->rank; ++i)
        length += snprintf(header + length, sizeof header - (size_t)length, "%lld,",
                           (long long)t->shape[i]);
    length += snprintf(header + length, sizeof header - (size_t)length, "), }");
    while ((length + 11) % 64) header[length++] = ' ';
    header[length++] = '\n';
    unsigned char start[10] = "\x93NUMPY\x01";
    start[8] = (unsigned char)(length & 255);
    start[9] = (unsigned char)(length >> 8);
    fwrite(start, 1, sizeof start, file);
    fwrite(header, 1, (size_t)length, file);
    fwrite(elements, 1, t->nbytes, file);
    const int bad = ferror(file);
    if (fclose(file) || bad || rename(partial, path)) {
        const int why = errno;
        remove(partial);
        fail("%s: %s", path, strerror(why));
    }
    printf("wrote %s\n", path);
}

/* ---- what is printed -------------------------------------------------------------------- */

static void print_element(const char *type, const void *elements, int64_t i) {
    if (!strcmp(type, "float32")) printf("%.9g", (double)((const float *)elements)[i]);
    else if (!strcmp(type, "int32")) printf("%ld", (long)((const int32_t *)elements)[i]);
    else if (!strcmp(type, "uint32")) printf("%lu", (unsigned long)((const uint32_t *)elements)[i]);
    else printf("%d", ((const unsigned char *)elements)[i]);
}

/* A row per line. */
static void print_elements(const example_net_tensor *t, const void *elements) {
    const int64_t row = t->rank ? t->shape[t->rank - 1] : 1;
    const int64_t shown = t->count < MOST_SHOWN ? t->count : MOST_SHOWN;
    print_tensor(stdout, t);
    putchar('\n');
    for (int64_t i = 0; i < shown; ++i) {
        print_element(t->type, elements, i);
        putchar((i + 1) % row && i + 1 < shown ? ' ' : '\n');
    }
    if (shown < t->count)
        printf("... and %lld more: --output FOLDER writes them all\n",
               (long long)(t->count - shown));
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* ---- the command ------------------------------------------------------------------------ */

static void usage(FILE *to) {
@if pictures@
    fprintf(to, "usage: %s [--top N] [--threshold X] [--threads N] PICTURE|FOLDER ...\n", program);
    fputs("\n"
          "Tells the best classes of pictures, or the objects in them: score, class and the edges\n"
          "of the box (left, top, right, bottom) in pixels. PNG, JPEG, GIF, BMP and PNM are read.\n"
          "\n"
          "  --top N          of so many classes it tells; without it 5\n"
          "  --threshold X    the least score of an object; without it 0.5\n"
          "  --threads N      as below\n"
          "\n"
          "Or of arrays, which become inputs as they are, it prints all outputs:\n\n",
          to);
@end@
    fprintf(to, "usage: %s", program);
    fputs(" [--weights FILE] [--threads N] [--repeat N] [--output FOLDER] @usage_c@\n"
          "\n"
          "  NAME=FILE.npy    an input; without NAME= the next that has none\n"
#ifdef EXAMPLE_NET_LINKED
          "  --weights FILE   other weights of the same export than those inside\n"
#else
          "  --weights FILE   by default example_net.weights beside this program\n"
#endif
          "  --threads N      by default OMP_NUM_THREADS, else as many as there are processors\n"
          "  --repeat N       run so many times, and print the time of one run\n"
          "  --output FOLDER  write each output to FOLDER/NAME.npy, and do not print it\n"
          "\n",
          to);
    for (const example_net_tensor *t = example_net_inputs; t->name; ++t)
        fputs("input ", to), print_tensor(to, t), fputc('\n', to);
    for (const example_net_tensor *t = example_net_outputs; t->name; ++t)
        fputs("output ", to), print_tensor(to, t), fputc('\n', to);
}

static long number(const char *text, const char *what, long most) {
    char *end;
    errno = 0;
    const long found = strtol(text, &end, 10);
    if (end == text || *end || errno || found < 1 || found > most)
        fail("%s is '%s': a whole number from 1 to %ld is wanted", what, text, most);
    return found;
}

@if pictures@
static double real_number(const char *text, const char *what) {
    char *end;
    const double found = strtod(text, &end);
    if (end == text || *end || isnan(found)) fail("%s is '%s': a number is wanted", what, text);
    return found;
}

/* Whether a word names an array, not a picture. */
static int is_array(const char *word) {
    const size_t length = strlen(word);
    return length > 4 && !strcmp(word + length - 4, ".npy");
}

@end@
/* The number of an input by what stands before "="; -1: nothing does. */
static int input_named(const char *argument) {
    const char *equals = strchr(argument, '=');
    if (!equals) return -1;
    for (int i = 0; i < EXAMPLE_NET_INPUTS; ++i) {
        const char *name = example_net_inputs[i].name;
        if (strlen(name) == (size_t)(equals - argument) && !strncmp(name, argument, strlen(name)))
            return i;
    }
    return -1;
}

static int usual_threads(void) {
    const char *text = getenv("OMP_NUM_THREADS");
    const long found = text ? strtol(text, NULL, 10) : 0;
    return found > 0 && found <= 256 ? (int)found : 0;
}

/* What the command line says. */
typedef struct {
    const char *weights, *output;
    const char *files[EXAMPLE_NET_INPUTS + 1]; /* of inputs */
    int threads;
    long repeat;
@if pictures@
    const char **pictures;
    long count, top;
    double threshold;
@end@
} command;

static void take_flag(command *asked, const char *flag, const char *value) {
    if (!value) fail("%s wants a value; %s --help explains", flag, program);
    if (!strcmp(flag, "--weights")) asked->weights = value;
    else if (!strcmp(flag, "--output")) asked->output = value;
    else if (!strcmp(flag, "--threads")) asked->threads = (int)number(value, flag, 256);
    else if (!strcmp(flag, "--repeat")) asked->repeat = number(value, flag, 1000000);
@if pictures@
    else if (!strcmp(flag, "--top")) asked->top = number(value, flag, INT32_MAX);
    else if (!strcmp(flag, "--threshold")) asked->threshold = real_number(value, flag);
@end@
    else fail("%s is no flag; %s --help lists them", flag, program);
}

static void take_file(command *asked, const char *word) {
    int to = input_named(word);
    const char *path = to < 0 ? word : strchr(word, '=') + 1;
    if (to < 0)
        for (to = 0; to < EXAMPLE_NET_INPUTS && asked->files[to];) ++to;
    if (to >= EXAMPLE_NET_INPUTS)
        fail("%s: is one file more than the net has inputs (%d)", word, EXAMPLE_NET_INPUTS);
    const char *name = example_net_inputs[to].name;
    if (asked->files[to]) fail("input %s is given twice: %s, %s", name, asked->files[to], path);
    asked->files[to] = path;
}

static command read_command(int count, char **words) {
    command asked = {.threads = usual_threads()};
@if pictures@
    asked.top = 5;
    asked.threshold = 0.5;
    asked.pictures = allocate(sizeof *asked.pictures * (size_t)(count + 1));
@end@
    for (int i = 1; i < count; ++i) {
        char flag[16];
        const size_t length = strcspn(words[i], "=");
        if (!strcmp(words[i], "--help") || !strcmp(words[i], "-h")) {
            usage(stdout);
            exit(EXIT_SUCCESS);
        }
        if (strncmp(words[i], "--", 2)) {
@if pictures@
            if (input_named(words[i]) < 0 && !is_array(words[i])) {
                asked.pictures[asked.count++] = words[i];
                continue;
            }
@end@
            take_file(&asked, words[i]);
            continue;
        }
        snprintf(flag, sizeof flag, "%.*s", (int)(length < 15 ? length : 15), words[i]);
        if (words[i][length]) take_flag(&asked, flag, words[i] + length + 1);
        else ++i, take_flag(&asked, flag, i < count ? words[i] : NULL);
    }
@if pictures@
    if (asked.count) {
        for (int i = 0; i < EXAMPLE_NET_INPUTS; ++i)
            if (asked.files[i])
                fail("%s, %s: pictures are one way to run it, arrays are another",
                     asked.pictures[0], asked.files[i]);
        if (asked.output)
            fail("--output is for arrays; what pictures show is printed");
        return asked;
    }
    if (!asked.files[0]) fail("name a picture; %s --help explains", program);
@end@
    for (int i = 0; i < EXAMPLE_NET_INPUTS; ++i) {
        if (asked.files[i]) continue;
        fprintf(stderr, "%s: missing input ", short_name());
        print_tensor(stderr, &example_net_inputs[i]);
        fprintf(stderr, "; %s --help explains\n", program);
        exit(EXIT_FAILURE);
    }
    return asked;
}

/* Ready to run; its weights lie beside the program, unless something else is said. */
static example_net *opened(const command *asked) {
    const char *weights = asked->weights;
    char problem[LONGEST_PATH + 256];
#ifndef EXAMPLE_NET_LINKED
    char beside[LONGEST_PATH];
    const char *slash = strrchr(program, '/');
    const int folder = slash ? (int)(slash - program + 1) : 0;
    const int length = snprintf(beside, sizeof beside, "%.*sexample_net.weights", folder, program);
    if (!weights) weights = length < (int)sizeof beside ? beside : "example_net.weights";
#endif
    example_net *net;
    if (example_net_open(&net, weights, problem, sizeof problem)) fail("%s", problem);
    example_net_set_threads(net, asked->threads);
    return net;
}

static void run(example_net *net, const void *const inputs[], void *const outputs[]) {
    const int code = example_net_run(net, inputs, outputs);
    if (code) fail("%s", example_net_message(code));
}

static void measure(example_net *net, const void *const inputs[], void *const outputs[],
                    long runs) {
    double least = INFINITY, sum = 0;
    for (long i = 0; i < runs; ++i) {
        const double begin = now();
        run(net, inputs, outputs);
        const double taken = now() - begin;
        sum += taken;
        least = taken < least ? taken : least;
    }
    printf("%ld runs: %.3f ms each, %.3f ms at least\n", runs, sum / (double)runs, least);
}

@if pictures@
/* ---- what pictures show ----------------------------------------------------------------- */

static void print_class(int64_t number) {
    const int named = number >= 0 && number < class_count && class_names[number][0];
    if (named) fputs(class_names[number], stdout);
    else printf("class %lld", (long long)number);
}

static double element(const char *type, const void *elements, int64_t i) {
    if (!strcmp(type, "float32")) return (double)((const float *)elements)[i];
    if (!strcmp(type, "int32")) return ((const int32_t *)elements)[i];
    if (!strcmp(type, "uint32")) return ((const uint32_t *)elements)[i];
    return ((const unsigned char *)elements)[i];
}

static void print_score(double score) {
    if (isnan(score)) printf("  nan  ");
    else printf("  %.4f  ", score);
}

/* What has a score. */
typedef struct {
    double score;
    int64_t number;
} ranked;

/* The largest first, what is no number last; equal ones as they come. */
static int compare_ranked(const void *one, const void *other) {
    const ranked *a = one, *b = other;
    if (isnan(a->score) != isnan(b->score)) return isnan(a->score) ? 1 : -1;
    if (a->score > b->score) return -1;
    if (a->score < b->score) return 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static void print_classes(const char *type, const void *scores, int64_t count, long top) {
    ranked *all = allocate(sizeof *all * (size_t)count);
    for (int64_t i = 0; i < count; ++i) all[i] = (ranked){element(type, scores, i), i};
    qsort(all, (size_t)count, sizeof *all, compare_ranked);
    for (int64_t i = 0; i < count && i < top; ++i) {
        print_score(all[i].score);
        print_class(all[i].number);
        putchar('\n');
    }
    free(all);
}

/* Rows of seven numbers: image, class, score, and the edges as parts of the picture. */
static void print_objects(const float *rows, int64_t count, const picture *shown,
                          double threshold) {
    ranked *found = allocate(sizeof *found * (size_t)count);
    int64_t kept = 0;
    for (int64_t i = 0; i < count; ++i) {
        const float *row = rows + 7 * i;
        if (row[0] <= 0 && row[1] >= 0 && row[1] < 1e9f && (double)row[2] >= threshold)
            found[kept++] = (ranked){(double)row[2], i};
    }
    qsort(found, (size_t)kept, sizeof *found, compare_ranked);
    if (!kept) printf("  nothing with a score of %g or more\n", threshold);
    for (int64_t i = 0; i < kept; ++i) {
        const float *row = rows + 7 * found[i].number;
        print_score(found[i].score);
        print_class((int64_t)row[1]);
        printf("  %.1f %.1f %.1f %.1f\n", (double)row[3] * shown->width,
               (double)row[4] * shown->height, (double)row[5] * shown->width,
               (double)row[6] * shown->height);
    }
    free(found);
}

/* How much of an output a run found: extents, of which it may have told one (found:AXIS:NAME). */
static void found_shape(int64_t *shape, int number, void *const outputs[]) {
    const char *name = example_net_outputs[number].name;
    memcpy(shape, example_net_outputs[number].shape, sizeof example_net_outputs[number].shape);
    for (int i = 0; i < EXAMPLE_NET_OUTPUTS; ++i) {
        const char *other = example_net_outputs[i].name;
        if (strncmp(other, "found:", 6)) continue;
        char *colon;
        const long axis = strtol(other + 6, &colon, 10);
        if (*colon != ':' || strcmp(colon + 1, name) || axis < 0 || axis >= EXAMPLE_NET_RANK)
            continue;
        const int32_t told = *(const int32_t *)outputs[i];
        if (told >= 0 && told < shape[axis]) shape[axis] = told;
    }
}

/* Whether an output is no result, but how much of one a run found. */
static int tells_rows(int number) {
    return !strncmp(example_net_outputs[number].name, "found:", 6);
}

/* `named`: say of which output it is. */
static void print_answer(int number, void *const outputs[], const picture *shown,
                         const command *asked, int named) {
    const example_net_tensor *t = &example_net_outputs[number];
    int64_t shape[EXAMPLE_NET_RANK], each = 1;
    found_shape(shape, number, outputs);
    for (int i = 1; i < t->rank; ++i) each *= shape[i];
    const int real = !strcmp(t->type, "float32");
    if (real && t->rank == 4 && shape[0] == 1 && shape[1] == 1 && shape[3] == 7) {
        if (named) printf("  %s:\n", t->name);
        print_objects(outputs[number], shape[2], shown, asked->threshold);
    } else if (t->rank >= 2 && shape[0] > 0 && each == shape[1]) {
        if (named) printf("  %s:\n", t->name);
        print_classes(t->type, outputs[number], each, asked->top);
    } else {
        printf("  %s: %s ", t->name, strcmp(t->type, "bool8") ? t->type : "bool");
        print_shape(stdout, shape, t->rank);
        putchar('\n');
    }
}

/* What a run shows of one picture. Returns 1 where it cannot be read, which is told. */
static int answer(example_net *net, const command *asked, const char *path, float *input,
                  void *const outputs[]) {
    const void *inputs[EXAMPLE_NET_INPUTS + 1] = {input};
    picture shown;
    char problem[256];
    int told = 0;
    if (picture_read(&shown, path, problem, sizeof problem)) {
        fflush(stdout);
        fprintf(stderr, "%s: %s: %s\n", short_name(), path, problem);
        return 1;
    }
    if (picture_fill(input, &shown, &pictures_become)) fail("%s: %s", path, strerror(ENOMEM));
    run(net, inputs, outputs);
    for (const char *c = path; *c; ++c) putchar((unsigned char)*c < 32 || *c == 127 ? '?' : *c);
    putchar('\n');
    for (int i = 0; i < EXAMPLE_NET_OUTPUTS; ++i) told += !tells_rows(i);
    for (int i = 0; i < EXAMPLE_NET_OUTPUTS; ++i)
        if (!tells_rows(i)) print_answer(i, outputs, &shown, asked, told > 1);
    picture_free(&shown);
    return 0;
}

/* Of all pictures. Returns how many could not be read. */
static long answer_all(example_net *net, const command *asked, void *const outputs[]) {
    long bad = 0;
    float *input = allocate(example_net_inputs[pictures_become.input].nbytes);
    const void *inputs[EXAMPLE_NET_INPUTS + 1] = {input};
    for (long n = 0; n < asked->count; ++n) {
        const char *path = asked->pictures[n];
        char **inside = NULL;
        if (!is_folder(path)) {
            bad += answer(net, asked, path, input, outputs);
            continue;
        }
        const long count = pictures_in(path, &inside);
        if (count < 0) fail("%s: %s", path, strerror(errno));
        if (!count) fail("%s: is a folder without pictures: no name ends in .jpg, .png ...", path);
        for (long i = 0; i < count; ++i) {
            bad += answer(net, asked, inside[i], input, outputs);
            free(inside[i]);
        }
        free(inside);
    }
    if (asked->repeat && !bad) measure(net, inputs, outputs, asked->repeat);
    free(input);
    return bad;
}

@end@
static void end(example_net *net, void *const inputs[], void *const outputs[]) {
    example_net_close(net);
    for (int i = 0; i < EXAMPLE_NET_INPUTS; ++i) free(inputs[i]);
    for (int i = 0; i < EXAMPLE_NET_OUTPUTS; ++i) free(outputs[i]);
    if (fflush(stdout) || ferror(stdout))
        fail("what was computed cannot be printed: %s", strerror(errno));
}

int main(int count, char **words) {
    if (count > 0 && words[0][0]) program = words[0];
    const command asked = read_command(count, words);
    void *read[EXAMPLE_NET_INPUTS + 1] = {NULL}, *outputs[EXAMPLE_NET_OUTPUTS + 1] = {NULL};
    const void *inputs[EXAMPLE_NET_INPUTS + 1] = {NULL};
    example_net *net = opened(&asked);
    for (int i = 0; i < EXAMPLE_NET_OUTPUTS; ++i)
        outputs[i] = allocate(example_net_outputs[i].nbytes);
@if pictures@
    if (asked.count) {
        const long bad = answer_all(net, &asked, outputs);
        free(asked.pictures);
        end(net, read, outputs);
        return bad ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    free(asked.pictures);
@end@
    for (int i = 0; i < EXAMPLE_NET_INPUTS; ++i)
        inputs[i] = read[i] = read_npy(asked.files[i], &example_net_inputs[i]);

    run(net, inputs, outputs);
    if (asked.output && mkdir(asked.output, 0777) && errno != EEXIST)
        fail("%s: %s", asked.output, strerror(errno));
    for (int i = 0; i < EXAMPLE_NET_OUTPUTS; ++i) {
        const example_net_tensor *t = &example_net_outputs[i];
        if (asked.output) write_npy(asked.output, i, t, outputs[i]);
        else print_elements(t, outputs[i]);
    }
    if (asked.repeat) measure(net, inputs, outputs, asked.repeat);
    end(net, read, outputs);
    return EXIT_SUCCESS;
}
