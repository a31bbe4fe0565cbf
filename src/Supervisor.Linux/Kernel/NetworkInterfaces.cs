using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>Interfaces by name and number: of the daemon's network namespace, or of a socket's.</summary>
public static class NetworkInterfaces
{
    /// <summary>The number of an interface, given its name or number; null if there is no such interface.</summary>
    public static uint? Index(string nameOrNumber) => Number(nameOrNumber) ?? Present(Interfaces.Index(nameOrNumber));

    /// <summary>The number of an interface in the network namespace of a socket.</summary>
    public static uint? Index(DescriptorHandle socket, string nameOrNumber) =>
        Number(nameOrNumber) ?? Present(Interfaces.Index(socket, nameOrNumber));

    /// <summary>The name of the interface with that number; null if there is none.</summary>
    public static string? Name(uint index) => Interfaces.Name(index);

    /// <summary>The name of the interface with that number in the network namespace of a socket.</summary>
    public static string? Name(DescriptorHandle socket, uint index) => Interfaces.Name(socket, index);

    private static uint? Number(string nameOrNumber) =>
        uint.TryParse(nameOrNumber, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static uint? Present(uint index) => index == 0 ? null : index;
}
