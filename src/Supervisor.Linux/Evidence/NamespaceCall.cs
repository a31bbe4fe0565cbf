using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Calls in another network namespace: setns(2) on a thread of its own, which ends with the call, so that no other work runs there. A
/// thread that it starts is in the same namespace. A socket stays in the namespace in which it was made, so only socket(2), and what
/// looks up names or sockets, has to be called there.
/// </summary>
internal static class NamespaceCall
{
    /// <summary>How long the loop waits for a call. It is usually done in less than a millisecond.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private const int NetworkNamespaces = 0x40000000;
    private const int NamespaceCookie = 71;
    private const int CookieBytes = 8;

    /// <summary>Runs <paramref name="body"/> in the namespace at a path.</summary>
    /// <param name="path">The file of the namespace, as ip-netns(8) makes it.</param>
    /// <param name="patience">How long the caller waits.</param>
    /// <param name="body">The call. It starts no work on the thread pool.</param>
    /// <param name="refused">The result if the namespace cannot be entered.</param>
    public static T Run<T>(string path, TimeSpan patience, Func<T> body, Func<SystemCallFailure, T> refused)
    {
        var call = new ForeignCall<T>(
            null, () => Enter(path) is { } failure ? refused(failure) : body(), error => refused(error.With(path)));
        return call.TryGet(patience, out var result) ? result! : refused(new SystemCallError("setns", ETIMEDOUT).With(path));
    }

    /// <summary>socket(2) for a listener, in its namespace. The caller owns the descriptor; null with the failed call.</summary>
    public static DescriptorHandle? Open(CreateStep create, out SystemCallFailure? failure)
    {
        if (create.NetworkNamespace is not { } path)
        {
            return ListenerSockets.Open(create, out failure);
        }

        (var socket, failure) = Run<(DescriptorHandle?, SystemCallFailure?)>(
            path, Patience,
            () =>
            {
                var made = ListenerSockets.Open(create, out var refusal);
                return (made, refusal);
            },
            static refusal => (null, refusal));
        return socket;
    }

    /// <summary>
    /// A socket for NETLINK_SOCK_DIAG, which shows the sockets of the namespace in which it was made. Null is the daemon's namespace.
    /// Null if the kernel, a sandbox or the namespace does not allow it.
    /// </summary>
    public static Netlink? OpenSocketDiagnosis(string? path) => path is null
        ? Netlink.TryOpen(NETLINK_SOCK_DIAG)
        : Run(path, Patience, static () => Netlink.TryOpen(NETLINK_SOCK_DIAG), static _ => null);

    /// <summary>
    /// A socket for the announcements of the kernel about a namespace (<see cref="NetlinkEvents"/>). Null is the daemon's namespace.
    /// </summary>
    public static DescriptorHandle? Subscribe(string? path, int protocol, uint groups) => path is null
        ? NetlinkEvents.Subscribe(protocol, groups)
        : Run(path, Patience, () => NetlinkEvents.Subscribe(protocol, groups), static _ => null);

    /// <summary>Whether two sockets are known to be of different namespaces.</summary>
    public static bool AreApart(DescriptorHandle socket, DescriptorHandle other)
    {
        Span<byte> one = stackalloc byte[CookieBytes];
        Span<byte> two = stackalloc byte[CookieBytes];
        return Sockets.GetBytes(socket, SOL_SOCKET, NamespaceCookie, one, out _) is null
            && Sockets.GetBytes(other, SOL_SOCKET, NamespaceCookie, two, out _) is null
            && !one.SequenceEqual(two);
    }

    /// <summary>The number of an interface in a namespace; null if it has none of that name. Null is the daemon's namespace.</summary>
    public static uint? InterfaceIndex(string? path, string name) => path is null
        ? NetworkInterfaces.Index(name)
        : Run(path, Patience, () => NetworkInterfaces.Index(name), static _ => null);

    /// <summary>
    /// Whether the file of the namespace is of another namespace than the socket's: it was deleted and made again. False if that cannot
    /// be determined: SO_NETNS_COOKIE is in Linux 5.14 and later.
    /// </summary>
    public static bool IsReplaced(CreateStep create, DescriptorHandle socket)
    {
        using var fresh = Open(create, out _);
        return fresh is not null && AreApart(fresh, socket);
    }

    private static SystemCallFailure? Enter(string path)
    {
        using var walk = PathWalk.Of(path, PathTrust.InForce, stopAtFlaw: true);
        if (walk.FirstFlaw is { } flaw)
        {
            return new SystemCallError("setns", EACCES).With($"{path}: {flaw.FaultAtOnce}; {flaw.Remedy(TrustedFile.Accept(flaw))}");
        }

        if (walk.Target is not { } pinned)
        {
            return new SystemCallError("setns", walk.Error?.Errno ?? ENOENT).With(path);
        }

        using var file = FilesAt.OpenPinned(pinned, writes: false, out var unopened);
        return file is null ? (unopened with { Call = "setns" }).With(path) : Processes.EnterNamespace(file, NetworkNamespaces)?.With(path);
    }
}
