using System.Collections.Immutable;
using System.Globalization;

namespace Supervisor.Core.Workers;

/// <summary>Signals by name: the numbers of x86, arm and most other architectures, signal(7).</summary>
public static class Signals
{
    /// <summary>SIGABRT: exit with a core dump.</summary>
    public const int Abort = 6;

    /// <summary>SIGKILL.</summary>
    public const int Kill = 9;

    /// <summary>SIGTERM.</summary>
    public const int Terminate = 15;

    private const int FirstRealTime = 34;
    private const int LastRealTime = 64;

    private static readonly ImmutableDictionary<string, int> Numbers = new Dictionary<string, int>(StringComparer.Ordinal)
    {
        ["HUP"] = 1,
        ["INT"] = 2,
        ["QUIT"] = 3,
        ["ILL"] = 4,
        ["TRAP"] = 5,
        ["ABRT"] = 6,
        ["BUS"] = 7,
        ["FPE"] = 8,
        ["KILL"] = 9,
        ["USR1"] = 10,
        ["SEGV"] = 11,
        ["USR2"] = 12,
        ["PIPE"] = 13,
        ["ALRM"] = 14,
        ["TERM"] = 15,
        ["STKFLT"] = 16,
        ["CHLD"] = 17,
        ["CONT"] = 18,
        ["STOP"] = 19,
        ["TSTP"] = 20,
        ["TTIN"] = 21,
        ["TTOU"] = 22,
        ["URG"] = 23,
        ["XCPU"] = 24,
        ["XFSZ"] = 25,
        ["VTALRM"] = 26,
        ["PROF"] = 27,
        ["WINCH"] = 28,
        ["IO"] = 29,
        ["PWR"] = 30,
        ["SYS"] = 31,
    }.ToImmutableDictionary(StringComparer.Ordinal);

    private static readonly ImmutableDictionary<int, string> Names = Numbers.ToImmutableDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>The name with SIG, such as SIGTERM or SIGRTMIN+3.</summary>
    public static string Name(int signal) => Names.TryGetValue(signal, out var name)
        ? "SIG" + name
        : signal is >= FirstRealTime and <= LastRealTime
            ? "SIGRTMIN" + (signal == FirstRealTime ? "" : "+" + (signal - FirstRealTime).ToString(CultureInfo.InvariantCulture))
            : "signal " + signal.ToString(CultureInfo.InvariantCulture);

    /// <summary>The number of a name, with or without SIG, or of a number; null if it is unknown.</summary>
    public static int? Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number is >= 1 and <= LastRealTime ? number : null;
        }

        var name = text.StartsWith("SIG", StringComparison.OrdinalIgnoreCase) ? text[3..] : text;
        if (Numbers.TryGetValue(name.ToUpperInvariant(), out var known))
        {
            return known;
        }

        if (!name.StartsWith("RTMIN", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var offset = name[5..];
        return offset.Length == 0
            ? FirstRealTime
            : offset[0] == '+' && int.TryParse(offset[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var plus)
                && plus <= LastRealTime - FirstRealTime
                ? FirstRealTime + plus
                : null;
    }
}
