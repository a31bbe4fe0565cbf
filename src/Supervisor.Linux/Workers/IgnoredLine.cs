using System.Globalization;
using Supervisor.Core;

namespace Supervisor.Linux.Workers;

/// <summary>A line of an environment file that has no effect.</summary>
/// <param name="Line">Its number, from 1.</param>
/// <param name="Variable">The variable that listend sets for its workers; null for a line that is not NAME=VALUE.</param>
public readonly record struct IgnoredLine(int Line, string? Variable)
{
    private const int MostNamed = 5, MostOfName = 64;

    /// <summary>
    /// A message and a remedy for each kind of ignored lines. It names places and reserved variables only: the rest of a line may be a
    /// part of a secret.
    /// </summary>
    /// <param name="file">The file as the configuration has it.</param>
    /// <param name="lines">Its ignored lines.</param>
    public static IEnumerable<(string Message, string Remedy)> Describe(string file, IReadOnlyCollection<IgnoredLine> lines)
    {
        var path = Printable.Of(file.TrimStart('-'));
        var foreign = lines.Where(line => line.Variable is null).ToList();
        if (foreign.Count > 0)
        {
            var more = foreign.Count - 1;
            yield return (
                string.Create(CultureInfo.InvariantCulture, $"line {foreign[0].Line} of ")
                    + $"\"{path}\" is ignored, because it is not NAME=VALUE"
                    + (more == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; so are {more} more lines")),
                "write NAME=VALUE, without \"export\" or other words of a shell");
        }

        var own = lines.Where(line => line.Variable is not null).ToList();
        if (own.Count > 0)
        {
            var named = string.Join(", ", own.Take(MostNamed).Select(line => string.Create(
                CultureInfo.InvariantCulture, $"{Shortened(line.Variable!)} in line {line.Line}")));
            var more = own.Count - MostNamed;
            yield return (
                $"\"{path}\": {named}"
                    + (more <= 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" and {more} more variables"))
                    + (own.Count == 1 ? " is ignored" : " are ignored") + ", because listend sets such variables for its workers",
                own.Count == 1 ? "remove the line" : "remove the lines");
        }
    }

    private static string Shortened(string name) => name.Length <= MostOfName ? name : name[..MostOfName] + "...";
}
