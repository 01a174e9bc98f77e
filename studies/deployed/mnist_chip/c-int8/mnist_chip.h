/* mnist-chip: a network of 5,176 parameters in whole numbers of 8 bits,
   for mnist.
   Written by flyweight. Standard C99 without heap; README.md tells more.
   Functions: (c) 2026 The flyweight authors, MIT licence. Weights: whoever trained them. */
#ifndef MNIST_CHIP_H
#define MNIST_CHIP_H

#include <stdint.h>

#define MNIST_CHIP_CHANNELS 1
#define MNIST_CHIP_HEIGHT 28
#define MNIST_CHIP_WIDTH 28
#define MNIST_CHIP_CLASSES 10

/* Bytes of the one piece of memory that is used, image and logits included. */
#define MNIST_CHIP_ARENA_BYTES 3742

/* A logit q stands for MNIST_CHIP_LOGITS_SCALE * (q - MNIST_CHIP_LOGITS_ZERO). */
#define MNIST_CHIP_LOGITS_SCALE 2.58471299e-01f
#define MNIST_CHIP_LOGITS_ZERO (46)

#ifdef __cplusplus
extern "C" {
#endif

/* Returns where an image is written: rows of pixels, values of 0 to 255.
   It must be written again before each run. */
uint8_t *mnist_chip_image(void);

/* Classifies the image and returns its class, 0 to MNIST_CHIP_CLASSES - 1. Not reentrant. */
int mnist_chip_run(void);

/* Returns the logits of the last run, one for each class. */
const int8_t *mnist_chip_logits(void);

#ifdef __cplusplus
}
#endif

#endif
