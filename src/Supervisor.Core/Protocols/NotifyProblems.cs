namespace Supervisor.Core.Protocols;

/// <summary>What is wrong with the fields of a notify message.</summary>
internal static class NotifyProblems
{
    private const int MostShown = 40;

    private static readonly string[] Numbers = ["EXTEND_TIMEOUT_USEC", "WATCHDOG_USEC", "MONOTONIC_USEC", "MAINPIDFDID"];

    /// <summary>The texts, one for each field without an effect.</summary>
    public static IEnumerable<string> Of(NotifyMessage message)
    {
        foreach (var name in message.NotText)
        {
            yield return $"{Shown(name)}= is not UTF-8";
        }

        foreach (var name in Numbers)
        {
            if (message.First(name) is { } value && NotifyValue.Number(value) is null)
            {
                yield return $"{name}={Shown(value)} is not a number";
            }
        }

        if (message is { MainPid: null } && message.First("MAINPID") is { } pid)
        {
            yield return $"MAINPID={Shown(pid)} is not a process id";
        }

        if (message.First("WATCHDOG") is { } watchdog and not ("1" or "trigger"))
        {
            yield return $"WATCHDOG={Shown(watchdog)} is neither 1 nor trigger";
        }

        if (message is { Access: null } && message.First("NOTIFYACCESS") is { } access)
        {
            yield return $"NOTIFYACCESS={Shown(access)} is not none, main, exec or all";
        }

        if (message.First("MAINPIDFD") is not null)
        {
            yield return "MAINPIDFD= is not supported: send MAINPID= and MAINPIDFDID=";
        }

        if (message is { DescriptorName: null } && message.First("FDNAME") is { } name1)
        {
            yield return $"FDNAME={Shown(name1)} is invalid: a name has at most 255 printable ASCII characters other than \":\"";
        }
        else if (message is { RemovesDescriptors: true, DescriptorName: null })
        {
            yield return "FDSTOREREMOVE=1 has no FDNAME=";
        }

        if (message is { IsBarrier: true, Assignments.Length: > 1 })
        {
            yield return "BARRIER=1 has to be the only field: the other fields are ignored";
        }
    }

    private static string Shown(string value) => Printable.Of(value.Length <= MostShown ? value : value[..MostShown] + "...");
}
