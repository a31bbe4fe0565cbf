using System.Globalization;
using System.Text;

namespace Supervisor.Config.Settings;

/// <summary>The limit of the path of a runtime directory.</summary>
public static class RuntimeDirectoryPath
{
    /// <summary>
    /// The longest path, in bytes: the path of a socket in it has at most 107 (sun_path, unix(7)), and the longest other part is
    /// "/notify/" with a name of seven characters.
    /// </summary>
    public const int MaxBytes = 92;

    /// <summary>Why a path is too long; null if it is not.</summary>
    public static string? TooLong(string path) => Encoding.UTF8.GetByteCount(path.TrimEnd('/')) is var bytes and > MaxBytes
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"the path has {bytes} bytes: a socket in this folder would have a path that is too long for the kernel")
        : null;

    /// <summary>The remedy.</summary>
    public static string Remedy { get; } =
        string.Create(CultureInfo.InvariantCulture, $"choose a path of at most {MaxBytes} bytes, such as \"/run/listend\"");
}
