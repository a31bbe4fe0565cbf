using System.Collections.Immutable;
using System.Globalization;

namespace Supervisor.Core;

/// <summary>Signals by name: the numbers of x86, arm and most other architectures, signal(7).</summary>
public static class Signals
{
    /// <summary>SIGHUP.</summary>
    public const int HangUp = 1;

    /// <summary>SIGINT.</summary>
    public const int Interrupt = 2;

    /// <summary>SIGABRT: exit with a core dump.</summary>
    public const int Abort = 6;

    /// <summary>SIGKILL.</summary>
    public const int Kill = 9;

    /// <summary>SIGUSR1.</summary>
    public const int User1 = 10;

    /// <summary>SIGTERM.</summary>
    public const int Terminate = 15;

    /// <summary>SIGCONT.</summary>
    public const int Continue = 18;

    /// <summary>SIGSTOP.</summary>
    public const int Stop = 19;

    /// <summary>
    /// SIGRTMIN as glibc and musl users number it: 32 and 33 (and on musl 34) belong to the C library.
    /// </summary>
    public const int FirstRealTime = 34;

    /// <summary>SIGRTMAX.</summary>
    public const int LastRealTime = 64;

    /// <summary>The names of 1 to 31, with SIG, in that order.</summary>
    public static readonly ImmutableArray<string> Names =
    [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
        "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN",
        "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    /// <summary>What the signal does to a process that does not handle it.</summary>
    public static SignalAction DefaultAction(int signal) => Name(signal) switch
    {
        "SIGCHLD" or "SIGCONT" or "SIGURG" or "SIGWINCH" => SignalAction.None,
        "SIGSTOP" or "SIGTSTP" or "SIGTTIN" or "SIGTTOU" => SignalAction.Stops,
        _ => SignalAction.Ends,
    };

    /// <summary>The name with SIG, such as SIGTERM or SIGRTMIN+3.</summary>
    public static string Name(int signal) => signal switch
    {
        >= 1 and <= 31 => Names[signal - 1],
        FirstRealTime => "SIGRTMIN",
        > FirstRealTime and <= LastRealTime => string.Create(CultureInfo.InvariantCulture, $"SIGRTMIN+{signal - FirstRealTime}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"signal {signal}"),
    };

    /// <summary>The number of a name, with or without SIG, or of a number; null if it is unknown.</summary>
    public static int? Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number is >= 1 and <= LastRealTime ? number : null;
        }

        var name = text.ToUpperInvariant();
        name = name.StartsWith("SIG", StringComparison.Ordinal) ? name : "SIG" + name;
        var known = Names.IndexOf(name) + 1;
        return known > 0 ? known : RealTime(name);
    }

    /// <summary>The number of SIGRTMIN, SIGRTMIN+3, SIGRTMAX or SIGRTMAX-3; null for another name.</summary>
    public static int? RealTime(string name) =>
        Distance(name, "SIGRTMIN", '+') is { } up ? FirstRealTime + up
        : Distance(name, "SIGRTMAX", '-') is { } down ? LastRealTime - down
        : null;

    private static int? Distance(string name, string anchor, char sign) =>
        name == anchor ? 0
        : name.StartsWith(anchor + sign, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(anchor.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var distance)
            && distance <= LastRealTime - FirstRealTime ? distance
        : null;
}
