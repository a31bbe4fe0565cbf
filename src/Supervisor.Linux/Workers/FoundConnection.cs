using Supervisor.Core.Protocols;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The process of a connection that a killed daemon had started and not saved yet (StateCheckpointer). It is found by its token. Who
/// connected is what the kernel says of its socket, not its environment.
/// </summary>
internal static class FoundConnection
{
    /// <summary>The process in the state, for a worker of that number; null if it has exited.</summary>
    public static WorkerEntry? Entry(int workerId, int pid, string token, DateTimeOffset now) =>
        ProcFile.Read(pid) is { HasEnded: false } process && ProcFile.UsersOf(pid) is { } users
            ? new WorkerEntry
            {
                Id = workerId,
                Pid = pid,
                StartTime = process.StartTime,
                FirstStartTime = process.StartTime,
                Session = pid,
                StartedAt = now,
                ReadyAt = now,
                Uid = users.Real,
                Token = token,
                NotifyPath = "",
            }
            : null;

    /// <summary>Its peer; an unknown one if it has another file in the place of its connection by now.</summary>
    public static WorkerConnection Peer(ServiceContext service, int pid)
    {
        var (state, listeners) = (service.State, service.Generations.Of(service.State.Generation).Listeners);
        using var none = Files.EndedPipe();
        var number = state.Spec.Handoff == HandoffKind.Stdin ? 0 : HandoffEnvironment.ListenFdsStart;
        var socket = OpenFiles.Borrow(pid, number);
        var listener = listeners.FirstOrDefault(one => socket is not null && IsFrom(one, socket)) ?? listeners[0];
        var peer = IncomingConnection.Of(listener, socket ?? none).Peer;
        if (socket is not null)
        {
            // Its last close can wait for unsent data.
            service.Disposer.Close(Disposer.OwnerOf(service.Name), [socket]);
        }

        return peer;
    }

    /// <summary>Whether the listener's address is that of the connection: its port, or its path.</summary>
    private static bool IsFrom(ListenerHandle listener, DescriptorHandle socket)
    {
        Span<byte> raw = stackalloc byte[Sockaddr.MaxLength];
        return Sockets.GetSocketName(socket, raw, out var length) is null
            && Sockaddr.Decode(listener.Spec.Address.Kind, raw[..length]) is { } local
            && listener.Effective is { } own && own.Port == local.Port && own.Path == local.Path;
    }
}
