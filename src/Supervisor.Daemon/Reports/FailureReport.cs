using System.Globalization;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Control;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reports;

/// <summary>Configuration errors and refused binds: documents, and lines of text.</summary>
internal static class FailureReport
{
    public static FailureDocument? Failure(ListenerHandle handle) =>
        handle.Diagnosis is { } diagnosis ? diagnosis.ToDocument()
        : handle.Failure is { } failure
            ? new FailureDocument(
                handle.Spec.Address.ToString(), Bindable: false, failure.Name, Cause: null, Retry: false, [], failure.Arguments)
        : null;

    /// <summary>A listener that cannot be bound, with the file and line of its address.</summary>
    public static FailureDocument Failure(ConfigDiagnostic found)
    {
        var failure = found.Bind!.Diagnosis.ToDocument() with { Name = found.Bind.Listener };
        return found.Line == 0 ? failure : failure with { File = found.File, Line = found.Line, Column = found.Column };
    }

    /// <summary>An error or a warning.</summary>
    public static ConfigErrorDocument Error(ConfigDiagnostic found) =>
        new(found.File, found.Line, found.Column, found.Setting, found.Message, found.Remedy);

    /// <summary>A failure as one line: <c>FILE:LINE:COLUMN: NAME: ADDRESS: </c>, the cause and the remedy.</summary>
    public static string Line(FailureDocument failure, string what)
    {
        var place = failure.File is null
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"{failure.File}:{failure.Line}:{failure.Column}: ");
        var name = failure.Name is null or DaemonConfig.MetricsSetting ? failure.Name : $"listener.{failure.Name}";
        var subject = place + (name is null ? "" : name + ": ") + failure.Address;
        var cause = failure.Cause is null ? "" : $" ({failure.Cause})";
        var verdict = failure.Verdict.Length == 0 ? "" : failure.Verdict + ": ";
        return $"{subject}: {what}: {failure.Errno}{cause}: {verdict}{failure.Advice}";
    }
}
