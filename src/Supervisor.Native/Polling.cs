using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Supervisor.Native;

/// <summary>epoll(7) and eventfd(2), on which the event loop waits.</summary>
public static unsafe class Polling
{
    /// <summary>How many events one <see cref="Wait"/> can return.</summary>
    public const int MaxEvents = 256;

    /// <summary>epoll_create1(2).</summary>
    public static DescriptorHandle CreateSet()
    {
        var descriptor = epoll_create1(EPOLL_CLOEXEC);
        return descriptor >= 0
            ? new DescriptorHandle(descriptor)
            : throw new SystemCallException(SystemCallError.Last("epoll_create1"), "making the event loop");
    }

    /// <summary>eventfd(2), non-blocking.</summary>
    public static DescriptorHandle CreateEvent()
    {
        var descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return descriptor >= 0
            ? new DescriptorHandle(descriptor)
            : throw new SystemCallException(SystemCallError.Last("eventfd"), "making the event loop");
    }

    /// <summary>What a descriptor is watched for, next to a hang-up (EPOLLHUP) and an error (EPOLLERR); epoll_ctl(2).</summary>
    public enum Interest
    {
        /// <summary>Input.</summary>
        Input,

        /// <summary>Output space.</summary>
        Output,

        /// <summary>Nothing else.</summary>
        HangUp,
    }

    /// <summary>Adds a descriptor to the epoll set; each event returns <paramref name="token"/>.</summary>
    public static SystemCallError? Add(
        DescriptorHandle set, DescriptorHandle watched, long token, Interest interest = Interest.Input)
    {
        epoll_event request = default;
        request.events = interest switch
        {
            Interest.Input => EPOLLIN,
            Interest.Output => EPOLLOUT,
            _ => 0,
        };
        request.data.u64 = (ulong)token;
        return epoll_ctl(set.Number, EPOLL_CTL_ADD, watched.Number, &request) == 0 ? null : SystemCallError.Last("epoll_ctl");
    }

    /// <summary>Removes a descriptor from the epoll set.</summary>
    public static SystemCallError? Remove(DescriptorHandle set, DescriptorHandle watched) =>
        epoll_ctl(set.Number, EPOLL_CTL_DEL, watched.Number, null) == 0 ? null : SystemCallError.Last("epoll_ctl");

    /// <summary>
    /// Waits for events, stores their tokens in <paramref name="tokens"/> and returns their number. -1 milliseconds: no limit.
    /// </summary>
    public static int Wait(DescriptorHandle set, Span<long> tokens, int milliseconds)
    {
        var capacity = Math.Min(tokens.Length, MaxEvents);
        var events = stackalloc epoll_event[capacity];
        var count = epoll_wait(set.Number, events, capacity, milliseconds);
        if (count < 0 && errno == EINTR)
        {
            // SIGCONT after a stop also causes EINTR (signal(7)). Returning 0 would wrongly mean that there are no events.
            count = epoll_wait(set.Number, events, capacity, 0);
        }

        if (count < 0)
        {
            return errno == EINTR ? 0 : throw new SystemCallException(SystemCallError.Last("epoll_wait"), "waiting for events");
        }

        for (var i = 0; i < count; i++)
        {
            tokens[i] = (long)(ulong)events[i].data.u64;
        }

        return count;
    }

    /// <summary>
    /// poll(2) without waiting: whether the descriptor has hung up in both directions, so that writes are no longer read
    /// (POLLHUP).
    /// </summary>
    public static bool IsClosed(DescriptorHandle descriptor)
    {
        pollfd one = default;
        one.fd = descriptor.Number;
        return Syscalls.poll(&one, 1, 0) == 1 && (one.revents & POLLHUP) != 0;
    }

    /// <summary>
    /// poll(2) without waiting: whether the descriptor has hung up, in both directions or in its reading direction (POLLHUP,
    /// POLLRDHUP).
    /// </summary>
    public static bool IsHungUp(DescriptorHandle descriptor)
    {
        const short readHangUp = 0x2000;
        pollfd one = default;
        one.fd = descriptor.Number;
        one.events = readHangUp;
        return Syscalls.poll(&one, 1, 0) == 1 && (one.revents & (POLLHUP | readHangUp)) != 0;
    }

    /// <summary>
    /// poll(2): waits until the descriptor has input, has output space (<paramref name="forOutput"/>), or has hung up. False
    /// after <paramref name="patience"/>. It blocks the calling thread.
    /// </summary>
    public static bool Await(DescriptorHandle descriptor, TimeSpan patience, bool forOutput = false)
    {
        var until = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (true)
        {
            pollfd one = default;
            one.fd = descriptor.Number;
            one.events = forOutput ? POLLOUT : POLLIN;
            var count = Syscalls.poll(&one, 1, (int)Math.Clamp(until - Environment.TickCount64, 0, int.MaxValue));
            if (count >= 0)
            {
                return count > 0;
            }

            if (errno != EINTR)
            {
                throw new SystemCallException(SystemCallError.Last("poll"), "waiting for a descriptor");
            }
        }
    }

    /// <summary>
    /// poll(2): waits until <paramref name="input"/> has input or has hung up, or until nobody reads standard output any more
    /// (POLLERR of a pipe, POLLHUP of a socket or a terminal). False in the second case. It blocks the calling thread.
    /// </summary>
    public static bool AwaitInputWhileRead(SafeHandle input)
    {
        var both = stackalloc pollfd[2];
        while (true)
        {
            both[0] = new pollfd { fd = (int)input.DangerousGetHandle(), events = POLLIN };
            both[1] = new pollfd { fd = STDOUT_FILENO };
            if (Syscalls.poll(both, 2, -1) >= 0)
            {
                GC.KeepAlive(input);
                return both[1].revents == 0; // POLLERR, POLLHUP or POLLNVAL
            }

            if (errno != EINTR)
            {
                throw new SystemCallException(SystemCallError.Last("poll"), "waiting for a descriptor");
            }
        }
    }

    /// <summary>poll(2) without waiting: whether there is something to read or accept (POLLIN).</summary>
    public static bool IsReadable(DescriptorHandle descriptor)
    {
        pollfd one = default;
        one.fd = descriptor.Number;
        one.events = POLLIN;
        return Syscalls.poll(&one, 1, 0) == 1 && (one.revents & POLLIN) != 0;
    }

    /// <summary>Signals an eventfd.</summary>
    public static void Raise(DescriptorHandle descriptor)
    {
        ulong one = 1;
        _ = write(descriptor.Number, &one, 8);
    }

    /// <summary>Resets an eventfd.</summary>
    public static void Lower(DescriptorHandle descriptor)
    {
        ulong count;
        _ = read(descriptor.Number, &count, 8);
    }
}
