using Supervisor.Load;

namespace Supervisor.Demo;

/// <summary>The demo's names of the kinds of failure.</summary>
internal static class Words
{
    public static string Of(FailureKind kind) => kind switch
    {
        FailureKind.Refused => "refused",
        FailureKind.Reset => "reset",
        FailureKind.TimedOut => "timed out",
        FailureKind.Unanswered => "unanswered",
        FailureKind.Truncated => "truncated",
        FailureKind.BadStatus => "bad status",
        FailureKind.Overrun => "not sent: too many in flight",
        FailureKind.Other => "other",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
