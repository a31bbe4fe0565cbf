using System.Globalization;

namespace Supervisor.Linux.Kernel;

/// <summary>Kernel settings under /proc/sys.</summary>
public static class Sysctl
{
    /// <summary>The value of a setting with a dotted name, such as net.core.somaxconn; null if it cannot be read.</summary>
    public static string? Read(string name)
    {
        try
        {
            return File.ReadAllText("/proc/sys/" + name.Replace('.', '/')).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The value as a number; null if it cannot be read or is not a number.</summary>
    public static long? ReadNumber(string name) =>
        long.TryParse(Read(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
}
