/* The least that a Cortex-M needs to run main and to talk to the emulator. */
#include <stddef.h>
#include <stdint.h>

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end;

int main(void);
void reset(void);
static void stop(void);

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, (const void *)reset, (const void *)stop, (const void *)stop,
};

static int host(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void print(const char *text)
{
    host(4, text);
}

static void stop(void)
{
    print("stopped by a fault\n");
    host(0x18, (const void *)0x20023);
    for (;;) {
    }
}

void *memset(void *to, int value, size_t count)
{
    unsigned char *byte = to;
    while (count-- > 0) {
        *byte++ = (unsigned char)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t count)
{
    unsigned char *into = to;
    const unsigned char *byte = from;
    while (count-- > 0) {
        *into++ = *byte++;
    }
    return to;
}

void reset(void)
{
    const uint32_t *from = &data_load;
    for (uint32_t *word = &data_start; word < &data_end; ++word) {
        *word = *from++;
    }
    for (uint32_t *word = &bss_start; word < &bss_end; ++word) {
        *word = 0;
    }
    main();
    host(0x18, (const void *)0x20026);
    for (;;) {
    }
}
