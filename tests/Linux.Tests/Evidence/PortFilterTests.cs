using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Evidence;

/// <summary>The filter of ports in the kernel: its ranges, and what the kernel lets through.</summary>
public class PortFilterTests : KernelTest
{
    [Theory]
    [InlineData(new[] { 80 }, "80-80")]
    [InlineData(new[] { 80, 81, 82, 443 }, "80-82 443-443")]
    [InlineData(new[] { 1, 65535 }, "1-1 65535-65535")]
    public void Ports_that_are_apart_are_ranges_of_their_own(int[] ports, string expected) =>
        Assert.Equal(expected, string.Join(' ', Ranges(ports).Select(range => $"{range.First}-{range.Last}")));

    [Fact]
    public void Many_ports_are_joined_across_the_smallest_gaps()
    {
        int[] ports = [100, 102, .. Enumerable.Range(0, 20).Select(i => 200 + (i * (i + 5)))];
        var ranges = Ranges(ports);
        Assert.Equal(16, ranges.Count);
        Assert.All(ports, port => Assert.Single(ranges, range => port >= range.First && port <= range.Last));
        Assert.Equal((100, 102), ranges[0]);
    }

    /// <summary>Forty ports need more ranges than the kernel's filter has: its rows for ports in between are dropped.</summary>
    [Fact]
    public void Connections_of_many_ports_are_found_by_one_query()
    {
        var listeners = Enumerable.Range(0, 40)
            .Select(i => Given.Listener("tcp://127.0.0.1:0", spec => spec with { Name = $"l{i}" }))
            .ToList();
        var strangers = listeners.Where((_, i) => i % 3 == 0).ToList();
        var sockets = new List<DescriptorHandle>();
        foreach (var listener in listeners)
        {
            sockets.Add(Loopback.Connect(listener.Effective!));
            sockets.Add(Libc.Accept(listener.Descriptor!));
        }

        var asked = listeners.Except(strangers).ToList();
        var snapshot = new AcceptedConnections(asked).Read();
        Assert.Equal(
            asked.Select(listener => listener.Name).Order(),
            snapshot.All.Values.Select(connection => connection.Listener).Order());
        Assert.True(snapshot.MayBeOf(new AcceptedConnections([asked[0]])));
        Assert.False(snapshot.MayBeOf(new AcceptedConnections([strangers[0]])));
        sockets.ForEach(socket => socket.Dispose());
        listeners.ForEach(listener => listener.Dispose());
    }

    private static List<(ushort First, ushort Last)> Ranges(int[] ports) =>
        PortFilter.Ranges(Array.ConvertAll(ports, port => (ushort)port));
}
