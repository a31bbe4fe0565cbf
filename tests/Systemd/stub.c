/* Waits until it is stopped. imported.py reads from /proc what it was given; an interpreter would change some of it. */
#include <unistd.h>

int main(void)
{
    for (;;)
        pause();
}
