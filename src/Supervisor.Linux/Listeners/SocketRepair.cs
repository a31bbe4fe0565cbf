using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>Undoes a holder's change, by the same call or by its opposite.</summary>
internal static class SocketRepair
{
    /// <summary>
    /// Makes the call. What the configuration asks for is asked for again, so that the kernel rounds and caps it as before;
    /// anything else gets the value that it had.
    /// </summary>
    /// <param name="handle">The listener.</param>
    /// <param name="socket">The socket of it.</param>
    /// <param name="change">The change.</param>
    /// <param name="call">The bare name of the call that was made.</param>
    /// <param name="value">What it was given.</param>
    public static SystemCallError? Undo(
        ListenerHandle handle, ListenerSocket socket, SocketChange change, out string call, out OptionValue? value)
    {
        value = change.Before;
        switch (change.Name)
        {
            case SocketChange.Backlog:
                call = "listen";
                if (handle.Origin == HandleOrigin.Created)
                {
                    value = OptionValue.Of(handle.Spec.Listen.Backlog);
                }

                return Sockets.Listen(socket.Descriptor, (int)(value?.Number ?? handle.Spec.Listen.Backlog));
            case SocketChange.Filter:
                call = "setsockopt";
                return Sockets.SetInt32(socket.Descriptor, SOL_SOCKET, SO_DETACH_FILTER, 0);
            default:
                call = "setsockopt";
                if (handle.AskedFor(change.Option!) is { } step)
                {
                    value = step.Value;
                    return OptionAccess.Set(socket.Descriptor, step.Option, step.Value);
                }

                return OptionAccess.Set(socket.Descriptor, change.Option!, change.Before!.Value);
        }
    }
}
