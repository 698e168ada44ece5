/* Pictures as an input of a net: read from files, scaled, and made what the net was trained on. */
#ifndef PICTURES_H
#define PICTURES_H

#include <stddef.h>

/* How they become it, in this order: scaled to tall x wide; the middle of height x width; channels
 * in the order of `swap`; values, which are in [0, 1], times raw_scale; less the mean, a number for
 * each channel or for each value, or none; times input_scale. */
typedef struct {
    int input; /* its number */
    int channels, height, width;
    int tall, wide;
    int swap[3];
    float raw_scale;
    const float *mean, *mean_image; /* NULL: none */
    float input_scale;
} picture_rules;

/* Pixels: rows of `width` times `channels` numbers of one byte, or of two if `wide`: gray, gray and
 * alpha, red, green and blue, or these and alpha. */
typedef struct {
    int height, width, channels, wide;
    void *pixels;
} picture;

/* Of this net. */
extern const picture_rules pictures_become;

/* Names of classes, by number; "": it has none. */
extern const int class_count;
extern const char *const class_names[];

/* Read a PNG, JPEG, GIF (of which the first picture), BMP or PNM file. Returns 0, or 1 and in `problem` a sentence without a name. */
int picture_read(picture *made, const char *path, char *problem, size_t size);

/* Fill channels * height * width numbers of an input. Returns 1 where there is too little memory. */
int picture_fill(float *input, const picture *shown, const picture_rules *rules);

/* How many pictures a folder has, by the endings of names; -1, and errno: it cannot be read. Their
 * paths, in the order of names, and the list are the caller's. */
long pictures_in(const char *folder, char ***found);

int is_folder(const char *path);

void picture_free(picture *shown);

#endif
