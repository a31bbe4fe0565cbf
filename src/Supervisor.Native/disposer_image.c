/* The disposer's program, to be executed from a memory file: see disposer.c. */
#include <stddef.h>

__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    "listend_disposer_begin:\n"
    ".incbin \"" DISPOSER "\"\n"
    "listend_disposer_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern const unsigned char listend_disposer_begin[] __attribute__((visibility("hidden")));
extern const unsigned char listend_disposer_end[] __attribute__((visibility("hidden")));

const void *listend_disposer_image(size_t *length);

const void *listend_disposer_image(size_t *length)
{
    *length = (size_t)(listend_disposer_end - listend_disposer_begin);
    return listend_disposer_begin;
}
