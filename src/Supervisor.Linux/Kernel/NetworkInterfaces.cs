using System.Globalization;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>Interfaces of this network namespace by name and number.</summary>
public static class NetworkInterfaces
{
    /// <summary>The number of a name, or of a number; null where there is no such interface.</summary>
    public static uint? Index(string nameOrNumber)
    {
        if (uint.TryParse(nameOrNumber, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        var index = Interfaces.Index(nameOrNumber);
        return index == 0 ? null : index;
    }

    /// <summary>The name of a number; null where there is no such interface.</summary>
    public static string? Name(uint index) => Interfaces.Name(index);
}
