using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Predicts the answer of bind() to a UNIX path without making the file: the checks of net/unix/af_unix.c, unix_bind_bsd, and
/// of fs/namei.c, filename_create, in their order. A socket is looked up in sock_diag. If sock_diag does not have it, a
/// connect() decides, because the socket may belong to another network namespace.
/// </summary>
internal static class UnixPath
{
    /// <summary>The result.</summary>
    /// <param name="Failure">The expected error; null for none.</param>
    /// <param name="State">What is at the path.</param>
    /// <param name="FileKind">The kind of file, if it is not a socket.</param>
    /// <param name="Holders">The sockets bound to it.</param>
    public sealed record Finding(SystemCallFailure? Failure, UnixPathState State, string? FileKind, List<SocketHolder> Holders)
    {
        /// <summary>Whether the file system has no free space, so that the file can perhaps not be made.</summary>
        public bool IsFull { get; init; }
    }

    /// <summary>Examines the path of <paramref name="address"/>.</summary>
    public static Finding Examine(ListenAddress address)
    {
        var path = address.Path!;
        if (address.PathBytes > ListenAddress.MaxUnixPathBytes)
        {
            return Refused(new SystemCallError("bind", ENAMETOOLONG), address, UnixPathState.Unknown);
        }

        if (Files.GetStatus(path, out var status) is { } error)
        {
            if (error.Errno != ENOENT)
            {
                return Refused(error with { Call = "bind" }, address, UnixPathState.Unknown);
            }

            var directory = Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : "/";
            return AccessCheck.MayMake(directory, out var isFull) is { } refused
                ? Refused(refused with { Call = "bind" }, address, UnixPathState.Free)
                : new Finding(null, UnixPathState.Free, null, []) { IsFull = isFull };
        }

        var inUse = new SystemCallError("bind", EADDRINUSE);
        if (!status.IsSocket)
        {
            return Refused(inUse, address, UnixPathState.OtherFile) with { FileKind = Kind(status) };
        }

        var holders = UnixSockets.OfFile(address, status.Device, status.Inode);
        var state = holders.Count == 0 ? Connect(address)
            : holders.Exists(holder =>
                holder.State == BoundState.Listening || holder.Address.StartsWith("unix-dgram:", StringComparison.Ordinal))
                ? UnixPathState.Live
            : UnixPathState.BoundNotListening;
        return Refused(inUse, address, state) with { Holders = holders };
    }

    private static UnixPathState Connect(ListenAddress address)
    {
        using var probe = ListenerSockets.Open(new CreateStep(address.Kind, SocketDomain.Unix, NonBlocking: true), out _);
        if (probe is null || Sockaddr.Encode(address) is not { } raw)
        {
            return UnixPathState.Unknown;
        }

        return Sockets.Connect(probe, raw)?.Errno switch
        {
            null or EPROTOTYPE or EAGAIN => UnixPathState.Live,
            ECONNREFUSED => UnixPathState.Stale,
            _ => UnixPathState.Unknown,
        };
    }

    private static Finding Refused(SystemCallError error, ListenAddress address, UnixPathState state) =>
        new(error.With(address.ToString()), state, null, []);

    /// <summary>The kind of a file, for people.</summary>
    internal static string Kind(Files.Status status) => (status.Mode & 0xF000) switch
    {
        0x4000 => "a directory",
        0x8000 => "a regular file",
        0xA000 => "a symbolic link",
        0x1000 => "a pipe",
        0x2000 or 0x6000 => "a device",
        _ => "another kind of file",
    };
}
