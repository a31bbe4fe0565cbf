using System.Collections.Immutable;
using System.Globalization;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>Text for sockets and their processes, singular or plural.</summary>
internal static class HolderText
{
    /// <summary>"nginx (pid 812, uid 0) listens on tcp://127.0.0.1:80".</summary>
    public static string Use(ImmutableArray<SocketHolder> holders) =>
        $"{ProcessDescription.Holders(holders)} {Verb(holders)} {holders[0].Address}";

    /// <summary>"nginx (pid 812, uid 0) of an earlier run still listens on tcp://127.0.0.1:80".</summary>
    public static string StillUse(ImmutableArray<SocketHolder> holders, string address) =>
        $"{ProcessDescription.Holders(holders)} of an earlier run still {Verb(holders)} {address}";

    /// <summary>The text for an address that is bound without a listener.</summary>
    public static string BoundOnly(ImmutableArray<SocketHolder> holders, string? address) =>
        AreSeveral(holders)
            ? $"{ProcessDescription.Holders(holders)} have bound {address} and do not listen"
            : $"{ProcessDescription.Holders(holders)} has bound {address} and does not listen";

    /// <summary>"1 connection", "2 connections".</summary>
    public static string Count(int count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? one + "s")}");

    private static bool AreSeveral(ImmutableArray<SocketHolder> holders) => ProcessDescription.AreSeveral(holders);

    private static string Verb(ImmutableArray<SocketHolder> holders) => (holders[0].State, AreSeveral(holders)) switch
    {
        (BoundState.Listening, false) => "listens on",
        (BoundState.Listening, true) => "listen on",
        (BoundState.Bound, false) => "is bound to",
        (BoundState.Bound, true) => "are bound to",
        (_, false) => "uses",
        (_, true) => "use",
    };
}
