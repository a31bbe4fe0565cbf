using System.Globalization;
using Supervisor.Control;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>A reload for people: what changes, with its settings and reason, and what stays as it is.</summary>
/// <remarks>
/// A configuration may have thousands of listeners and services. Beyond <see cref="Summary.MostRows"/> rows or <see cref="MostText"/>
/// characters the report counts the actions of each kind and names a few of them; <c>--all</c> writes one line for each.
/// </remarks>
internal static class ReloadReport
{
    private const int MostText = 3000;
    private const int NamedOfEach = 5;
    private const int MostFailures = 10;

    /// <summary>Writes the actions of a reload or of its plan.</summary>
    public static void Write(TextOutput output, IReadOnlyList<ReloadActionDocument> actions, bool showsAll)
    {
        var changes = actions.Where(IsChange).ToArray();
        var unchanged = actions.Where(action => !IsChange(action)).ToArray();
        if (showsAll || IsShort(changes))
        {
            WriteRows(output, changes);
        }
        else
        {
            WriteSummary(output, changes);
        }

        foreach (var line in Unchanged(unchanged, showsAll))
        {
            output.WriteLine(line);
        }
    }

    /// <summary>Writes the roll-outs and starts that have failed.</summary>
    public static void WriteFailures(TextWriter error, ReloadDocument document)
    {
        var failed = document.Rollouts.Where(rollout => rollout.Outcome is not ("done" or "canary")).ToArray();
        foreach (var rollout in failed.Take(MostFailures))
        {
            error.WriteLine("listenctl: " + Printable.Of(ChangeText.Outcome(rollout)));
        }

        if (failed.Length > MostFailures)
        {
            error.WriteLine($"listenctl: {Count("service", failed.Length - MostFailures)} more failed");
        }
    }

    /// <summary>Whether the action changes anything.</summary>
    public static bool IsChange(ReloadActionDocument action) => action.Action != "unchanged";

    private static bool IsShort(ReloadActionDocument[] changes) => changes.Length <= Summary.MostRows
        && changes.Sum(change => change.Name.Length + change.Settings.Sum(setting => setting.Length) + (change.Reason?.Length ?? 0)
            + (change.Loses?.Length ?? 0)) <= MostText;

    private static void WriteRows(TextOutput output, ReloadActionDocument[] changes)
    {
        foreach (var change in changes)
        {
            var what = change.Name.Length == 0 ? change.Subject : $"{change.Subject} {change.Name}";
            var settings = change.Settings.Count == 0 ? "" : $" ({string.Join(", ", change.Settings)})";
            output.WriteLine(new StyledText($"{what}: ")
                .Append(change.Action, change.Loses is null ? Palette.Success : Palette.Warning)
                .Append(settings)
                .Append(change.Reason is null ? null : ": " + change.Reason));
            if (change.Loses is { } loses)
            {
                output.WriteLine(new StyledText("may lose: " + loses, Palette.Warning), indent: 2);
            }
        }
    }

    private static void WriteSummary(TextOutput output, ReloadActionDocument[] changes)
    {
        foreach (var kind in changes.GroupBy(change => (change.Subject, change.Action)))
        {
            output.WriteLine(new StyledText($"{Count(kind.Key.Subject, kind.Count())}: ")
                .Append(kind.Key.Action, kind.All(change => change.Loses is null) ? Palette.Success : Palette.Warning)
                .Append($" ({Named([.. kind])})"));
        }

        if (changes.Where(change => change.Loses is not null).ToArray() is { Length: > 0 } losing)
        {
            output.WriteLine(new StyledText($"may lose connections: {losing.Length} of them ({Named(losing)})", Palette.Warning));
        }

        output.WriteLine("--all shows each of them with its settings and reason");
    }

    private static IEnumerable<string> Unchanged(ReloadActionDocument[] unchanged, bool showsAll)
    {
        if (showsAll)
        {
            return unchanged.Select(action => $"{action.Subject} {action.Name}: unchanged");
        }

        if (unchanged.Length == 0)
        {
            return [];
        }

        return unchanged.Length <= NamedOfEach * 2
            ? [$"unchanged: {string.Join(", ", unchanged.Select(action => $"{action.Subject} {action.Name}"))}"]
            : [$"unchanged: {string.Join(", ", unchanged.GroupBy(action => action.Subject).Select(all => Count(all.Key, all.Count())))}"];
    }

    private static string Named(ReloadActionDocument[] actions) =>
        string.Join(", ", actions.Take(NamedOfEach).Select(action => action.Name))
        + (actions.Length > NamedOfEach ? string.Create(CultureInfo.InvariantCulture, $" and {actions.Length - NamedOfEach} more") : "");

    private static string Count(string subject, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {subject}{(count == 1 ? "" : "s")}");
}
