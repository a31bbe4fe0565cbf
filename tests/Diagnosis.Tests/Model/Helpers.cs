using System.Net;
using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Diagnosis.Tests.Model;

/// <summary>Sockets to connect to: one for each place in a case, so that two connections never share both ends.</summary>
internal sealed class Helpers : IDisposable
{
    private readonly List<(PortSpace Space, bool IPv4, int Index, Helper Helper)> _helpers = [];

    public Helpers(int firstPort)
    {
        foreach (var space in Enum.GetValues<PortSpace>())
        {
            foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
            {
                for (var index = 0; index < 3; index++)
                {
                    var ipv6 = address.Equals(IPAddress.IPv6Loopback);
                    var descriptor = Kernel.Socket(ipv6, space == PortSpace.Udp);
                    var port = firstPort + _helpers.Count;
                    Assert.Equal(0, Kernel.Bind(descriptor, address, port));
                    if (space == PortSpace.Tcp)
                    {
                        Assert.Equal(0, Kernel.Listen(descriptor));
                    }

                    _helpers.Add((space, !ipv6, index, new Helper(descriptor, address, port)));
                }
            }
        }
    }

    public Helper For(PortSpace space, int index, bool ipv4) =>
        _helpers.Single(helper => helper.Space == space && helper.Index == index && helper.IPv4 == ipv4).Helper;

    public void Dispose() => _helpers.ForEach(helper => Kernel.Close(helper.Helper.Descriptor));

    public sealed record Helper(int Descriptor, IPAddress Address, int Port);
}
