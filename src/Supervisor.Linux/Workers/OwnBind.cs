using System.Globalization;
using Supervisor.Core.Services;
using Supervisor.Linux.Listeners;

namespace Supervisor.Linux.Workers;

/// <summary>Recognises by its last lines a worker that tries to bind a listener's address itself, which listend holds.</summary>
internal static class OwnBind
{
    /// <summary>How programs and languages write EADDRINUSE.</summary>
    private static readonly string[] Words = ["EADDRINUSE", "address already in use", "AddrInUse", "Connection in use", "[Errno 98]"];

    private const int FirstDescriptor = 3;

    /// <summary>The explanation with the remedy; null if the lines do not show that.</summary>
    public static string? Explain(IReadOnlyList<string> lines, IReadOnlyList<ListenerHandle> listeners, ServiceSpec spec)
    {
        var refused = lines.Where(line => Words.Any(word => line.Contains(word, StringComparison.OrdinalIgnoreCase))).ToArray();
        if (refused.Length == 0 || listeners.Count == 0)
        {
            return null;
        }

        var index = listeners.ToList().FindIndex(listener => refused.Any(line => Names(line, listener)));
        if (index < 0 && (listeners.Count > 1 || refused.Any(NamesAPort)))
        {
            return null;
        }

        index = Math.Max(index, 0);
        var handle = listeners[index];
        var remedy = spec.Handoff == HandoffKind.ListenFds && listeners.All(listener => listener.Sockets.Count <= 1)
            ? string.Create(CultureInfo.InvariantCulture, $"it has to use descriptor {FirstDescriptor + index} (LISTEN_FDS)")
            : $"it has to use the descriptors of handoff = \"{spec.Handoff.ToWireName()}\"";
        return $"the worker tries to bind {handle.EffectiveText ?? handle.Requested} (listener \"{handle.Name}\") itself, which "
            + $"listend holds: {remedy}";
    }

    private static bool Names(string line, ListenerHandle listener)
    {
        var address = listener.Effective ?? listener.Spec.Address;
        return address.Path is { } path ? line.Contains(path, StringComparison.Ordinal)
            : address.Port > 0 && Numbers(line).Contains(address.Port.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Whether a line has a number that can be a port. 98 is EADDRINUSE itself.</summary>
    private static bool NamesAPort(string line) => Array.Exists(Numbers(line), number => number.Length is >= 2 and <= 5 && number != "98");

    private static string[] Numbers(string line) =>
        line.Split([.. line.Where(c => !char.IsAsciiDigit(c)).Distinct()], StringSplitOptions.RemoveEmptyEntries);
}
