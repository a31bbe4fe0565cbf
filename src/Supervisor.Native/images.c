/* The programs that the daemon executes from memory files: keeper.c, launch.c and disposer.c. */
#include <stddef.h>

#define IMAGE(name, file) \
    __asm__(".pushsection .rodata\n" \
            ".balign 16\n" \
            "listend_" #name "_begin:\n" \
            ".incbin \"" file "\"\n" \
            "listend_" #name "_end:\n" \
            ".byte 0\n" \
            ".popsection\n"); \
    extern const unsigned char listend_##name##_begin[] __attribute__((visibility("hidden"))); \
    extern const unsigned char listend_##name##_end[] __attribute__((visibility("hidden"))); \
    const void *listend_##name##_image(size_t *length); \
    const void *listend_##name##_image(size_t *length) \
    { \
        *length = (size_t)(listend_##name##_end - listend_##name##_begin); \
        return listend_##name##_begin; \
    }

IMAGE(keeper, KEEPER)
IMAGE(launcher, LAUNCHER)
IMAGE(disposer, DISPOSER)
