using System.Collections.Immutable;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Reads a shared socket back: its options by getsockopt, the backlog by TCP_INFO or sock_diag, O_NONBLOCK
/// by fcntl, a filter by SO_GET_FILTER, a shutdown by SO_ACCEPTCONN and poll(). About 40 system calls, 10 microseconds.
/// </summary>
internal static class SocketReader
{
    public static SocketReading Read(ListenerHandle handle, ListenerSocket from)
    {
        var (socket, kind) = (from.Descriptor, handle.Spec.Address.Kind);
        if (!kind.IsSocket())
        {
            return new SocketReading(
                [], null, Descriptors.IsNonBlocking(socket), OptionValue.Of(0), IsFilterLocked: false, IsShutDown: false)
            {
                Rows = [],
            };
        }

        var rows = SocketOptions.ShownOf(handle.Spec);
        var options = ImmutableArray.CreateBuilder<OptionValue?>(rows.Length);
        foreach (var option in rows)
        {
            options.Add(option.AppliesTo(kind, handle.Domain) ? OptionAccess.Get(socket, option) : null);
        }

        Sockets.GetInt32(socket, SOL_SOCKET, SO_LOCK_FILTER, out var locked);
        return new SocketReading(
            options.MoveToImmutable(),
            kind.Listens() ? AcceptQueue.Read(socket, kind, from.Inode)?.Limit : null,
            Descriptors.IsNonBlocking(socket),
            Filter(socket),
            locked != 0,
            IsShutDown(socket, kind))
        {
            Rows = rows,
        };
    }

    /// <summary>
    /// TCP leaves LISTEN (net/ipv4/af_inet.c, inet_shutdown); a UNIX listener stays in it and hangs up
    /// (net/unix/af_unix.c, unix_poll).
    /// </summary>
    private static bool IsShutDown(DescriptorHandle socket, ListenerKind kind) =>
        (kind.Listens() && Sockets.GetInt32(socket, SOL_SOCKET, SO_ACCEPTCONN, out var listening) is null && listening == 0)
        || Polling.IsHungUp(socket);

    /// <summary>
    /// The number of instructions, which a length of 0 asks for; an eBPF program cannot be read back (net/core/filter.c,
    /// sk_get_filter: EACCES).
    /// </summary>
    private static OptionValue Filter(DescriptorHandle socket)
    {
        var error = Sockets.GetBytes(socket, SOL_SOCKET, SO_GET_FILTER, [], out var length);
        return error is null ? OptionValue.Of(length) : error.Value.Errno == EACCES ? OptionValue.Of("eBPF") : OptionValue.Of(0);
    }
}
