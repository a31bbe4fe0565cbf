using System.Diagnostics;
using System.Text.Json;
using Supervisor.Control;

namespace Supervisor.Diagnosis.Tests.Scenarios;

/// <summary>One run of <c>listenctl explain --json</c> in the thread's network namespace.</summary>
internal sealed record Explained(int ExitCode, string Output, string Error)
{
    public const uint Nobody = 65534;

    public FailureDocument Document => JsonSerializer.Deserialize(Output, ControlJson.Default.FailureDocument)!;

    public static Explained AsRoot(params string[] args) => Run(null, args);

    public static Explained AsNobody(params string[] args) => Run(Nobody, args);

    public static Explained Run(uint? uid, params string[] args) => Execute(uid, [Published.Listenctl, "explain", .. args, "--json"]);

    public static Explained ForPeople(params string[] args) => Execute(null, [Published.Listenctl, "explain", .. args]);

    private static Explained Execute(uint? uid, string[] command)
    {
        string[] all = uid is null ? command : ["setpriv", "--reuid", $"{uid}", "--regid", $"{uid}", "--clear-groups", .. command];
        var start = new ProcessStartInfo(all[0], all[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("XDG_RUNTIME_DIR");
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Explained(process.ExitCode, output, error.Result);
    }

    /// <summary>Checks what every refusal has in common.</summary>
    public FailureDocument Refused(string errno, string cause, bool retry)
    {
        Assert.True(ExitCode == 1, $"exit {ExitCode}: {Output}{Error}");
        var document = Document;
        Assert.Equal((errno, cause, retry, false), (document.Errno, document.Cause, document.Retry, document.Bindable));
        Assert.NotEmpty(document.Advice);
        Assert.NotEmpty(document.Verdict);
        Assert.Single(Output.TrimEnd('\n').Split('\n'));
        Assert.Empty(Error);
        return document;
    }

    public FailureDocument Granted()
    {
        Assert.True(ExitCode == 0, $"exit {ExitCode}: {Output}{Error}");
        var document = Document;
        Assert.Equal((null, null, false, true), (document.Errno, document.Cause, document.Retry, document.Bindable));
        Assert.Empty(document.Owners);
        return document;
    }
}
