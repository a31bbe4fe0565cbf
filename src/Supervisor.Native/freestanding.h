/* Functions for a program without libc: the compiler may emit calls of memcpy() and memset() (GCC manual, "Standards"). */
#ifndef LISTEND_FREESTANDING_H
#define LISTEND_FREESTANDING_H
#include "raw_call.h"

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memset(void *to, int value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((char *)to)[i] = (char)value;
    return to;
}
#endif
