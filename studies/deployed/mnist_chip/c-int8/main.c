/* Reads images from standard input, one after another, and prints class and logits of each. */
#include "mnist_chip.h"

#include <stdio.h>

int main(void)
{
    const size_t count = (size_t)MNIST_CHIP_HEIGHT * MNIST_CHIP_WIDTH * MNIST_CHIP_CHANNELS;
    while (fread(mnist_chip_image(), sizeof *mnist_chip_image(), count, stdin) == count) {
        printf("%d", mnist_chip_run());
        for (int each = 0; each < MNIST_CHIP_CLASSES; ++each) {
            printf(" %.9g", (double)mnist_chip_logits()[each]);
        }
        printf("\n");
    }
    return 0;
}
