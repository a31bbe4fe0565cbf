using System.Collections.Immutable;
using System.Globalization;

namespace Supervisor.Config.Values;

/// <summary>Names of signals, with or without SIG; numbers of the Linux ABI as x86 and Arm have them, signal(7).</summary>
public static class SignalName
{
    /// <summary>
    /// The first real-time signal as glibc and musl users number them: 32 and 33 (and on musl 34) belong to the C library.
    /// </summary>
    private const int RealTimeMin = 34;

    private const int RealTimeMax = 64;

    /// <summary>The names of 1 to 31, in that order.</summary>
    public static readonly ImmutableArray<string> All =
    [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
        "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
        "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    /// <summary>Parses a name such as SIGTERM, QUIT or SIGRTMIN+3; false for an unknown name.</summary>
    public static bool TryParse(string text, out int signal)
    {
        var name = text.StartsWith("SIG", StringComparison.Ordinal) ? text : "SIG" + text;
        signal = All.IndexOf(name) + 1;
        if (signal > 0)
        {
            return true;
        }

        return TryParseRealTime(name, "SIGRTMIN", RealTimeMin, '+', 1, out signal)
            || TryParseRealTime(name, "SIGRTMAX", RealTimeMax, '-', -1, out signal);
    }

    /// <summary>The name of a signal, such as SIGTERM or SIGRTMIN+3.</summary>
    public static string Format(int signal) => signal switch
    {
        >= 1 and <= 31 => All[signal - 1],
        RealTimeMin => "SIGRTMIN",
        RealTimeMax => "SIGRTMAX",
        > RealTimeMin and < RealTimeMax => string.Create(CultureInfo.InvariantCulture, $"SIGRTMIN+{signal - RealTimeMin}"),
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
            || distance > RealTimeMax - RealTimeMin)
        {
            return false;
        }

        signal = first + (direction * distance);
        return true;
    }
}
