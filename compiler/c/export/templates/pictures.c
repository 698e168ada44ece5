/* Pictures as an input of a net. stb_image.h, which decodes them, is by others: its end says under
 * which terms. What is decoded is bounded, as files may come from anywhere. */
#define _GNU_SOURCE
#include "pictures.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_BYTES ((size_t)1 << 30) /* of a file, and of memory that decoding takes at once */
#define MOST_PIXELS 200000000        /* of a picture */
#define MOST_WORK 2000000000.0       /* pixels times passes over them */
#define LARGE 16777216               /* pixels; larger pictures have no more than BLANK for a byte */
#define BLANK 65536

static void *bounded(void *old, size_t nbytes) {
    return nbytes <= MOST_BYTES ? realloc(old, nbytes ? nbytes : 1) : NULL;
}

/* The decoder copies no bytes to NULL where a chunk is empty, which C does not allow. */
static void *copied(void *to, const void *from, size_t nbytes) {
    return nbytes ? memcpy(to, from, nbytes) : to;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_ONLY_PNM
#define STBI_ONLY_GIF
#define STBI_NO_STDIO
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_MAX_DIMENSIONS 65536
#define STBI_MALLOC(nbytes) bounded(NULL, nbytes)
#define STBI_REALLOC(old, nbytes) bounded(old, nbytes)
#define STBI_FREE(old) free(old)
#undef memcpy
#define memcpy copied
#include "stb_image.h"
#undef memcpy
#pragma GCC diagnostic pop

/* ---- from files ------------------------------------------------------------------------- */

static int failed(char *problem, size_t size, const char *why) {
    snprintf(problem, size, "%s", why);
    return 1;
}

/* A file's bytes, which the caller frees; NULL: it cannot be read. */
static unsigned char *bytes_of(const char *path, size_t *nbytes, char *problem, size_t size) {
    struct stat about;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    unsigned char *data = NULL;
    if (file < 0) {
        failed(problem, size, strerror(errno));
        return NULL;
    }
    if (fstat(file, &about)) failed(problem, size, strerror(errno));
    else if (!S_ISREG(about.st_mode)) failed(problem, size, "is no file");
    else if (about.st_size <= 0) failed(problem, size, "is empty");
    else if ((uint64_t)about.st_size > MOST_BYTES) failed(problem, size, "is too large a file");
    else if (!(data = malloc((size_t)about.st_size))) failed(problem, size, strerror(ENOMEM));
    size_t got = 0;
    while (data && got < (size_t)about.st_size) {
        const ssize_t more = read(file, data + got, (size_t)about.st_size - got);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) {
            failed(problem, size, more ? strerror(errno) : "ends too early");
            free(data);
            data = NULL;
            break;
        }
        got += (size_t)more;
    }
    close(file);
    *nbytes = got;
    return data;
}

/* How often a decoder goes over all pixels, at most: a JPEG file may ask for it many times. */
static double passes(const unsigned char *data, size_t nbytes) {
    double found = 1;
    if (data[0] != 0xff) return 1;
    for (size_t i = 0; i + 1 < nbytes; ++i) found += data[i] == 0xff && data[i + 1] == 0xda;
    return found;
}

/* Whether a JPEG file has its end, which the decoder does not miss: it fills up what is cut off. */
static int has_end(const unsigned char *data, size_t nbytes) {
    size_t i = 2;
    while (i + 1 < nbytes) {
        const unsigned char mark = data[i + 1];
        if (data[i] != 0xff || mark == 0xff) ++i; /* coded pixels, or filling */
        else if (mark == 0xd9) return 1;
        else if (mark < 2 || (mark >= 0xd0 && mark <= 0xd8)) i += 2; /* nothing follows */
        else if (i + 3 >= nbytes) return 0;
        else i += 2 + ((size_t)data[i + 2] << 8 | data[i + 3]);
    }
    return 0;
}

static double number_at(const unsigned char *data) {
    return (double)((uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 |
                    (uint32_t)data[3]);
}

/* What the decoder says, which may hold bytes of the file, and why that is wrong. */
static int refused(char *problem, size_t size, const char *format) {
    char reason[80];
    snprintf(reason, sizeof reason, "%s", stbi_failure_reason());
    for (char *c = reason; *c; ++c)
        if (*c < 32 || *c > 126) *c = '?';
    snprintf(problem, size, format, reason);
    return 1;
}

static int too_large(char *problem, size_t size, double width, double height) {
    snprintf(problem, size, "says that it is %.0f x %.0f pixels; the limit is %d", width, height,
             MOST_PIXELS);
    return 1;
}

static int decoded(picture *made, const unsigned char *data, size_t nbytes, char *problem,
                   size_t size) {
    const int length = (int)nbytes;
    int height, width, channels;
    if (nbytes >= 24 && !memcmp(data, "\x89PNG", 4)) {
        const double wide = number_at(data + 16), tall = number_at(data + 20);
        if (wide * tall > MOST_PIXELS) return too_large(problem, size, wide, tall);
    }
    if (!stbi_info_from_memory(data, length, &width, &height, &channels))
        return refused(problem, size,
                       "is no picture that can be read (%s): PNG, JPEG, GIF, BMP and PNM are");
    if (height < 1 || width < 1) return failed(problem, size, "is damaged: it has no pixels");
    const double pixels = (double)height * width;
    if (pixels > MOST_PIXELS) return too_large(problem, size, width, height);
    if (pixels > LARGE && (double)nbytes * BLANK < pixels)
        return failed(problem, size, "is damaged: so few bytes hold no such picture");
    if (pixels * passes(data, nbytes) > MOST_WORK)
        return failed(problem, size, "takes too long to decode: it is in too many parts");
    if (data[0] == 0xff && !has_end(data, nbytes))
        return failed(problem, size, "is damaged: it is cut off");
    made->wide = stbi_is_16_bit_from_memory(data, length);
    made->pixels = made->wide
                       ? (void *)stbi_load_16_from_memory(data, length, &made->width, &made->height,
                                                          &made->channels, 0)
                       : (void *)stbi_load_from_memory(data, length, &made->width, &made->height,
                                                       &made->channels, 0);
    if (made->pixels) return 0;
    return refused(problem, size, "is damaged: it cannot be decoded (%s)");
}

int picture_read(picture *made, const char *path, char *problem, size_t size) {
    size_t nbytes;
    memset(made, 0, sizeof *made);
    unsigned char *data = bytes_of(path, &nbytes, problem, size);
    const int bad = !data || decoded(made, data, nbytes, problem, size);
    free(data);
    return bad;
}

void picture_free(picture *shown) {
    free(shown->pixels);
    shown->pixels = NULL;
}

/* ---- in folders ------------------------------------------------------------------------- */

static const char *const endings[] = {".png", ".jpg", ".jpeg", ".gif", ".bmp",
                                      ".pbm", ".pgm", ".ppm",  ".pnm", NULL};

static int is_picture(const struct dirent *entry) {
    const char *end = strrchr(entry->d_name, '.');
    for (int i = 0; end && endings[i]; ++i)
        if (!strcasecmp(end, endings[i])) return 1;
    return 0;
}

static int in_order(const struct dirent **one, const struct dirent **other) {
    return strcmp((*one)->d_name, (*other)->d_name);
}

int is_folder(const char *path) {
    struct stat about;
    return !stat(path, &about) && S_ISDIR(about.st_mode);
}

long pictures_in(const char *folder, char ***found) {
    struct dirent **entries;
    const int count = scandir(folder, &entries, is_picture, in_order);
    if (count < 0) return -1;
    char **made = malloc(sizeof *made * (size_t)(count + 1));
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') --length;
    int bad = !made;
    for (int i = 0; i < count; ++i) {
        const size_t nbytes = length + strlen(entries[i]->d_name) + 2;
        if (made && (made[i] = malloc(nbytes)))
            snprintf(made[i], nbytes, "%.*s/%s", (int)length, folder, entries[i]->d_name);
        else bad = 1;
        free(entries[i]);
    }
    free(entries);
    if (!bad) return *found = made, count;
    for (int i = 0; made && i < count; ++i) free(made[i]);
    free(made);
    errno = ENOMEM;
    return -1;
}

/* ---- to inputs -------------------------------------------------------------------------- */

/* Between two elements of an axis: how far from the first. */
typedef struct {
    int below, above;
    float part;
} place;

/* Where element i of `size` lies among `old`: pixels are areas, and the last one goes on. */
static place place_of(int i, int size, int old) {
    if (size == old) return (place){i, i, 0};
    double at = (i + 0.5) * ((double)old / size) - 0.5;
    at = at < 0 ? 0 : at > old - 1 ? old - 1 : at;
    const int last = old > 2 ? old - 2 : 0, found = (int)floor(at);
    const int below = found < last ? found : last;
    return (place){below, below + 1 < old ? below + 1 : old - 1, (float)(at - below)};
}

/* A row in [0, 1], of one channel (gray) or three (red, green, blue). */
static void row_of(float *row, const picture *shown, int y, int channels) {
    const float largest = shown->wide ? 65535.0f : 255.0f;
    const size_t begin = (size_t)y * (size_t)shown->width * (size_t)shown->channels;
    const uint16_t *two = (const uint16_t *)shown->pixels + (shown->wide ? begin : 0);
    const unsigned char *one = (const unsigned char *)shown->pixels + (shown->wide ? 0 : begin);
    for (int x = 0; x < shown->width; ++x) {
        float color[3];
        for (int c = 0; c < 3; ++c) {
            const size_t at = (size_t)x * (size_t)shown->channels +
                              (size_t)(shown->channels < 3 ? 0 : c);
            color[c] = (float)(shown->wide ? two[at] : one[at]) / largest;
        }
        if (channels == 3) memcpy(row + 3 * (size_t)x, color, sizeof color);
        else if (shown->channels < 3) row[x] = color[0];
        else row[x] = color[0] * 0.2125f + color[1] * 0.7154f + color[2] * 0.0721f; /* BT.709 */
    }
}

/* Of a pixel's channel in the input what it is there. */
static float value_of(float value, size_t at, int channel, const picture_rules *rules) {
    value *= rules->raw_scale;
    if (rules->mean_image) value -= rules->mean_image[at];
    else if (rules->mean) value -= rules->mean[channel];
    return rules->input_scale != 1 ? value * rules->input_scale : value;
}

int picture_fill(float *input, const picture *shown, const picture_rules *rules) {
    const int channels = rules->channels, height = rules->height, width = rules->width;
    const int top = (int)(rules->tall / 2.0 - height / 2.0);
    const int left = (int)(rules->wide / 2.0 - width / 2.0);
    const size_t count = (size_t)shown->width * (size_t)channels;
    float *rows = calloc(2 * count, sizeof *rows);
    if (!rows) return 1;
    float *lower = rows, *upper = rows + count;
    for (int y = 0; y < height; ++y) {
        const place down = place_of(top + y, rules->tall, shown->height);
        row_of(lower, shown, down.below, channels);
        if (down.above != down.below) {
            row_of(upper, shown, down.above, channels);
            for (size_t i = 0; i < count; ++i) lower[i] += (upper[i] - lower[i]) * down.part;
        }
        for (int x = 0; x < width; ++x) {
            const place across = place_of(left + x, rules->wide, shown->width);
            for (int c = 0; c < channels; ++c) {
                const size_t at = ((size_t)c * (size_t)height + (size_t)y) * (size_t)width +
                                  (size_t)x;
                const size_t from = (size_t)rules->swap[c];
                const float before = lower[(size_t)across.below * (size_t)channels + from];
                const float after = lower[(size_t)across.above * (size_t)channels + from];
                input[at] =
                    value_of(before + (after - before) * across.part, at, c, rules);
            }
        }
    }
    free(rows);
    return 0;
}
