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
        var known = Names.IndexOf(name) + 1;
        signal = known > 0 ? known : RealTime(name) ?? 0;
        return signal > 0;
    }

    /// <summary>The name of a signal, such as SIGTERM or SIGRTMIN+3; the number itself if it has no name.</summary>
    public static string Format(int signal) => signal switch
    {
        LastRealTime => "SIGRTMAX",
        (>= 1 and <= 31) or (>= FirstRealTime and < LastRealTime) => Name(signal),
        _ => signal.ToString(CultureInfo.InvariantCulture),
    };
}
