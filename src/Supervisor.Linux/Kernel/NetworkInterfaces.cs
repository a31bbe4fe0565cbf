using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>Interfaces of this network namespace by name and number.</summary>
public static class NetworkInterfaces
{
    /// <summary>The number of an interface, given its name or number; null if there is no such interface.</summary>
    public static uint? Index(string nameOrNumber)
    {
        if (uint.TryParse(nameOrNumber, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        var index = Interfaces.Index(nameOrNumber);
        return index == 0 ? null : index;
    }

    /// <summary>The name of the interface with that number; null if there is none.</summary>
    public static string? Name(uint index) => Interfaces.Name(index);
}
