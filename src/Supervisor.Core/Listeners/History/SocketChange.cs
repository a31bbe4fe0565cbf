using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>One difference of a shared socket from its state before the first hand-off.</summary>
/// <param name="Name">What: the kernel's name of an option, <c>backlog</c>, <c>O_NONBLOCK</c>, <c>SO_ATTACH_FILTER</c>,
/// <c>SO_LOCK_FILTER</c>, <c>shutdown</c>.</param>
/// <param name="Call">The bare name of the call that does such a thing.</param>
/// <param name="Option">The row of the catalogue; null if there is none.</param>
/// <param name="Before">As it was.</param>
/// <param name="Now">As it is; null if the kernel no longer shows it.</param>
public sealed record SocketChange(string Name, string Call, SocketOption? Option, OptionValue? Before, OptionValue? Now)
{
    /// <summary><see cref="Name"/> of the accept queue's limit.</summary>
    public const string Backlog = "backlog";

    /// <summary><see cref="Name"/> of the flag of the open file.</summary>
    public const string NonBlocking = "O_NONBLOCK";

    /// <summary><see cref="Name"/> of a packet filter: its value is the number of its instructions, "eBPF", or 0.</summary>
    public const string Filter = "SO_ATTACH_FILTER";

    /// <summary><see cref="Name"/> of the lock on the filter, which nothing can remove.</summary>
    public const string FilterLock = "SO_LOCK_FILTER";

    /// <summary><see cref="Name"/> of the file of a UNIX socket: another process has removed or replaced it.</summary>
    public const string File = "file";

    /// <summary><see cref="Name"/> of the links to the file of a UNIX socket (<c>unix.symlinks</c>).</summary>
    public const string Links = "symlinks";

    /// <summary><see cref="Name"/> of the permission bits of the file of a UNIX socket.</summary>
    public const string Mode = "mode";

    /// <summary><see cref="Name"/> of the user and group of the file of a UNIX socket.</summary>
    public const string Owner = "owner";

    /// <summary><see cref="Name"/> of the interface that the socket depends on: it is gone.</summary>
    public const string Interface = "interface";

    /// <summary><see cref="Name"/> of the end of receiving on the socket.</summary>
    public const string Shutdown = "shutdown";

    /// <summary>Whether it is a change outside of the socket, which no holder of the socket needs to have made.</summary>
    /// <param name="name">The name of the change.</param>
    public static bool IsOutside(string name) => name is File or Links or Interface or Mode or Owner;

    /// <summary>Why <c>enforce</c> does not repair it; null if it does.</summary>
    /// <param name="kind">The listener's kind.</param>
    /// <param name="isConfigured">Whether the configuration sets it.</param>
    public string? WhyNotRepaired(ListenerKind kind, bool isConfigured) => Name switch
    {
        FilterLock => "cannot be repaired: the kernel never removes the lock; give the listener another address, or restart listend",
        Backlog or Shutdown or NonBlocking => null,

        // A worker may rely on what it set: gunicorn sets TCP_NODELAY on the listener, so that connections inherit it.
        _ when Option is not null && !isConfigured => $"not repaired: not configured; set {Option.Setting} to decide",

        // A worker reads datagrams on this very socket.
        Filter when !kind.Listens() => "not repaired: the reader of the datagrams decides",
        _ => null,
    };
}
