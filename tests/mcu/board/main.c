/* Runs a network on the images that were compiled in, and prints logits and instructions. */
#include <stdint.h>

#include "images.h"
#include "net.h"

void print(const char *text);

#define SYSTICK ((volatile uint32_t *)0xE000E010)

static void print_number(int32_t value)
{
    char text[13];
    char *at = text + sizeof text;
    uint32_t left = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    *--at = '\0';
    *--at = ' ';
    do {
        *--at = (char)('0' + left % 10u);
        left /= 10u;
    } while (left != 0u);
    if (value < 0) {
        *--at = '-';
    }
    print(at);
}

int main(void)
{
    for (int number = 0; number < IMAGES; ++number) {
        uint8_t *image = net_image();
        for (int index = 0; index < IMAGE_BYTES; ++index) {
            image[index] = images[number][index];
        }
        SYSTICK[1] = 0xFFFFFF;
        SYSTICK[2] = 0;
        SYSTICK[0] = 5;
        const int found = net_run();
        const uint32_t ticks = 0xFFFFFF - SYSTICK[2];
        print_number((int32_t)ticks);
        print_number(found);
        for (int each = 0; each < NET_CLASSES; ++each) {
            print_number(net_logits()[each]);
        }
        print("\n");
    }
    return 0;
}
