using System.Globalization;
using static Supervisor.Core.Signals;

namespace Supervisor.Config.Values;

/// <summary>Names of signals in the configuration: in capitals, with or without SIG. It accepts no numbers.</summary>
public static class SignalName
{
    /// <summary>Parses a name such as SIGTERM, QUIT or SIGRTMIN+3; false for an unknown name.</summary>
    public static bool TryParse(string text, out int signal)
    {
        var name = text.StartsWith("SIG", StringComparison.Ordinal) ? text : "SIG" + text;
        signal = Names.IndexOf(name) + 1;
        if (signal > 0)
        {
            return true;
        }

        return TryParseRealTime(name, "SIGRTMIN", FirstRealTime, '+', 1, out signal)
            || TryParseRealTime(name, "SIGRTMAX", LastRealTime, '-', -1, out signal);
    }

    /// <summary>The name of a signal, such as SIGTERM or SIGRTMIN+3; the number itself if it has no name.</summary>
    public static string Format(int signal) => signal switch
    {
        LastRealTime => "SIGRTMAX",
        (>= 1 and <= 31) or (>= FirstRealTime and < LastRealTime) => Name(signal),
        _ => signal.ToString(CultureInfo.InvariantCulture),
    };

    private static bool TryParseRealTime(string name, string anchor, int first, char sign, int direction, out int signal)
    {
        signal = first;
        if (name == anchor)
        {
            return true;
        }

        if (!name.StartsWith(anchor + sign, StringComparison.Ordinal)
            || !int.TryParse(name.AsSpan(anchor.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var distance)
            || distance > LastRealTime - FirstRealTime)
        {
            return false;
        }

        signal = first + (direction * distance);
        return true;
    }
}
