using Supervisor.Core.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>One socket of a listener, for the calls that are made on it, and where they are recorded.</summary>
internal readonly record struct SocketTarget(ListenerHandle Handle, int Shard, HistoryRecorder History)
{
    public ListenerSpec Spec => Handle.Spec;

    public ListenerSocket Socket => Handle.Sockets[Shard];

    public DescriptorHandle Descriptor => Socket.Descriptor;
}
