using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>One thing about a shared socket that is not as it was before others got it.</summary>
/// <param name="Name">What: the kernel's name of an option, <c>backlog</c>, <c>O_NONBLOCK</c>, <c>SO_ATTACH_FILTER</c>, <c>SO_LOCK_FILTER</c>, <c>shutdown</c>.</param>
/// <param name="Call">The bare name of the call that does such a thing.</param>
/// <param name="Option">The row of the catalogue; null where it is none.</param>
/// <param name="Before">As it was.</param>
/// <param name="Now">As it is; null where the kernel does not show it any more.</param>
public sealed record SocketChange(string Name, string Call, SocketOption? Option, OptionValue? Before, OptionValue? Now)
{
    /// <summary><see cref="Name"/> of the accept queue's limit.</summary>
    public const string Backlog = "backlog";

    /// <summary><see cref="Name"/> of the flag of the open file.</summary>
    public const string NonBlocking = "O_NONBLOCK";

    /// <summary><see cref="Name"/> of a packet filter: its value is the number of its instructions, "eBPF", or 0.</summary>
    public const string Filter = "SO_ATTACH_FILTER";

    /// <summary><see cref="Name"/> of the lock on the filter, which nobody can take off.</summary>
    public const string FilterLock = "SO_LOCK_FILTER";

    /// <summary><see cref="Name"/> of the end of receiving on the socket.</summary>
    public const string Shutdown = "shutdown";

    /// <summary>Why <c>enforce</c> leaves it as it is; null where it is put back.</summary>
    /// <param name="kind">The listener's kind.</param>
    /// <param name="isConfigured">Whether the configuration sets it.</param>
    public string? WhyKept(ListenerKind kind, bool isConfigured) => Name switch
    {
        // Siblings that wait in accept() share the flag: after it was cleared, one blocked there for seconds with all that it had in flight.
        NonBlocking => "never put back: it belongs to everybody who waits on the socket; set listen.non_blocking to say which it is to be",
        FilterLock => "cannot be put back: the kernel never takes the lock off; restart the listener",
        Backlog or Shutdown => null,

        // A worker may count on what it has set where nobody said otherwise: gunicorn sets TCP_NODELAY on the listener, for the
        // connections to inherit.
        _ when Option is not null && !isConfigured => $"left so: the configuration says nothing of it; set {Option.Setting} to decide",

        // Who reads datagrams speaks on this very socket.
        Filter when !kind.Listens() => "left to who reads the datagrams",
        _ => null,
    };
}
