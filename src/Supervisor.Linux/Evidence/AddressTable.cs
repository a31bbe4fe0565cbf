using System.Buffers.Binary;
using System.Net;
using System.Text;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Kernel;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>Interfaces and addresses of this network namespace by rtnetlink(7): RTM_GETLINK, RTM_GETADDR.</summary>
internal sealed class AddressTable
{
    private const ushort GetLink = 18;
    private const ushort NewLink = 16;
    private const ushort GetAddress = 22;
    private const ushort NewAddress = 20;
    private const ushort LinkName = 3;
    private const ushort AddressAddress = 1;
    private const ushort AddressLocal = 2;
    private const ushort AddressFlags = 8;
    private const uint InterfaceUp = 1;
    private const uint Tentative = 0x40;
    private const uint Optimistic = 0x04;
    private const uint DuplicateFound = 0x08;

    private AddressTable(Dictionary<uint, (string Name, bool IsUp)> interfaces, List<InterfaceAddress> addresses)
    {
        Interfaces = [.. interfaces.Values.Select(known => known.Name)];
        Addresses = addresses;
    }

    /// <summary>Names of the interfaces.</summary>
    public List<string> Interfaces { get; }

    /// <summary>Their addresses.</summary>
    public List<InterfaceAddress> Addresses { get; }

    /// <summary>Reads both tables from the kernel.</summary>
    public static AddressTable Read()
    {
        var interfaces = new Dictionary<uint, (string Name, bool IsUp)>();
        var addresses = new List<InterfaceAddress>();
        using var netlink = Netlink.TryOpen(NETLINK_ROUTE);
        if (netlink is not null)
        {
            // struct ifinfomsg: family, pad, type, index, flags, change.
            Span<byte> link = stackalloc byte[16];
            link.Clear();
            netlink.Dump(GetLink, link, (type, message) =>
            {
                if (type == NewLink && message.Length >= 16)
                {
                    var name = Netlink.Attribute(message[16..], LinkName);
                    interfaces[BinaryPrimitives.ReadUInt32LittleEndian(message[4..])] =
                        (
                            Encoding.UTF8.GetString(name.TrimEnd((byte)0)),
                            (BinaryPrimitives.ReadUInt32LittleEndian(message[8..]) & InterfaceUp) != 0);
                }
            });

            // struct ifaddrmsg: family, prefix length, flags, scope, index.
            Span<byte> request = stackalloc byte[8];
            request.Clear();
            netlink.Dump(GetAddress, request, (type, message) =>
            {
                if (type != NewAddress || message.Length < 8)
                {
                    return;
                }

                // On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL is ours.
                var address = Netlink.Attribute(message[8..], AddressLocal);
                address = address.IsEmpty ? Netlink.Attribute(message[8..], AddressAddress) : address;
                if (address.Length is not (4 or 16))
                {
                    return;
                }

                var long32 = Netlink.Attribute(message[8..], AddressFlags);
                var flags = long32.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(long32) : message[2];
                var (name, isUp) = interfaces.GetValueOrDefault(BinaryPrimitives.ReadUInt32LittleEndian(message[4..]), ("?", true));
                addresses.Add(new InterfaceAddress(
                    new IPAddress(
                        address), name, isUp, (flags & Tentative) != 0 && (flags & Optimistic) == 0, (flags & DuplicateFound) != 0));
            });
        }

        return new AddressTable(interfaces, addresses);
    }
}
