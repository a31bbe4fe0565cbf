/* The keeper's program, to be executed from a memory file: see keeper.c. */
#include <stddef.h>

__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    "listend_keeper_begin:\n"
    ".incbin \"" KEEPER "\"\n"
    "listend_keeper_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern const unsigned char listend_keeper_begin[] __attribute__((visibility("hidden")));
extern const unsigned char listend_keeper_end[] __attribute__((visibility("hidden")));

const void *listend_keeper_image(size_t *length);

const void *listend_keeper_image(size_t *length)
{
    *length = (size_t)(listend_keeper_end - listend_keeper_begin);
    return listend_keeper_begin;
}
