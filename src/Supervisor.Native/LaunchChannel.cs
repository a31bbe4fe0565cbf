using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// The channel by which children that could not execute their program themselves send the status sockets of their launchers
/// (direct.h). Main thread only.
/// </summary>
internal static class LaunchChannel
{
    /// <summary>The children without a status socket whose launch is not decided, with what they have sent.</summary>
    private static readonly Dictionary<int, DescriptorHandle?> Expected = [];
    private static DescriptorHandle? _own;

    /// <summary>The children's end.</summary>
    public static DescriptorHandle? End { get; private set; }

    /// <summary>Makes the channel. Null, or the error of the call that failed.</summary>
    public static SystemCallError? Open()
    {
        var error = DescriptorPassing.Pair(out _own, out var end);
        End = end;
        return error;
    }

    /// <summary>A child was started that may send a status socket.</summary>
    public static void Expect(int pid) => Expected[pid] = null;

    /// <summary>
    /// The child has executed a program or has failed, so it sends nothing more. If it <paramref name="hasSent"/> a status socket, returns
    /// it; the caller owns it.
    /// </summary>
    public static DescriptorHandle? Take(int pid, bool hasSent)
    {
        if (hasSent)
        {
            Receive();
        }

        return Expected.Remove(pid, out var status) ? status : null;
    }

    private static void Receive()
    {
        var descriptors = new List<DescriptorHandle>();
        var sender = 0;
        while (_own is { } own && DescriptorPassing.Receive(
            own, MemoryMarshal.AsBytes(new Span<int>(ref sender)), descriptors, maxDescriptors: 1, wait: false, out _, out _, out _) > 0)
        {
            var isExpected = descriptors.Count == 1 && Expected.TryGetValue(sender, out var earlier) && earlier is null;
            if (isExpected)
            {
                Expected[sender] = descriptors[0];
            }
            else
            {
                descriptors.ForEach(unknown => unknown.Dispose());
            }

            descriptors.Clear();
        }
    }
}
