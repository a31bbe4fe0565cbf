using Supervisor.Core.Services;

namespace Supervisor.Linux.Workers;

/// <summary>The environment that all workers with the same specification share, NAME=VALUE each.</summary>
internal sealed class WorkerEnvironment
{
    private readonly KeyValuePair<string, string>[] _lines;
    private readonly KeyValuePair<string, string>[] _withPlaceholders;

    /// <summary>
    /// The variables of a service whose workers are <paramref name="identity"/>; those of its own setting may have placeholders.
    /// </summary>
    public WorkerEnvironment(
        WorkerIdentity identity, Dictionary<string, string> variables, IReadOnlyDictionary<string, string> ofSetting)
    {
        Identity = identity;
        _withPlaceholders = [.. ofSetting.Where(pair => Placeholders.AreIn(pair.Value))];
        Path = variables.GetValueOrDefault("PATH");
        _lines = [.. variables.Select(pair => KeyValuePair.Create(pair.Key, $"{pair.Key}={pair.Value}"))];
    }

    /// <summary>The workers' identity.</summary>
    public WorkerIdentity Identity { get; }

    /// <summary>The search path for programs; null if it has no PATH.</summary>
    public string? Path { get; }

    /// <summary>The variables with placeholders, with the values for one worker.</summary>
    public IEnumerable<KeyValuePair<string, string>> Expanded(Placeholders placeholders) =>
        _withPlaceholders.Select(pair => KeyValuePair.Create(pair.Key, placeholders.Expand(pair.Value)));

    /// <summary>
    /// The same with the variables of one process, which override others of the same name; and <paramref name="without"/> those that are
    /// added later.
    /// </summary>
    public IReadOnlyList<string> With(IReadOnlyList<KeyValuePair<string, string>> own, ReadOnlySpan<string> without = default)
    {
        var all = new List<string>(_lines.Length + own.Count);
        foreach (var (name, line) in _lines)
        {
            if (!Has(own, name, 0) && !without.Contains(name))
            {
                all.Add(line);
            }
        }

        for (var i = 0; i < own.Count; i++)
        {
            // The last one of a name counts.
            if (!Has(own, own[i].Key, i + 1))
            {
                all.Add($"{own[i].Key}={own[i].Value}");
            }
        }

        return all;
    }

    /// <summary>Whether all workers have the same variables, and none of these names.</summary>
    public bool IsCommon(ReadOnlySpan<string> others)
    {
        foreach (var (name, _) in _lines)
        {
            if (others.Contains(name))
            {
                return false;
            }
        }

        return _withPlaceholders.Length == 0;
    }

    private static bool Has(IReadOnlyList<KeyValuePair<string, string>> variables, string name, int from)
    {
        for (var i = from; i < variables.Count; i++)
        {
            if (variables[i].Key == name)
            {
                return true;
            }
        }

        return false;
    }
}
