using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Workers;

/// <summary>The environment that all workers of the same terms have in common, NAME=VALUE each.</summary>
internal sealed class WorkerEnvironment
{
    private readonly KeyValuePair<string, string>[] _lines;

    /// <summary>Variables of a service whose workers are <paramref name="identity"/>.</summary>
    public WorkerEnvironment(WorkerIdentity identity, Dictionary<string, string> variables)
    {
        Identity = identity;
        Path = variables.GetValueOrDefault("PATH");
        _lines = [.. variables.Select(pair => KeyValuePair.Create(pair.Key, $"{pair.Key}={pair.Value}"))];
    }

    /// <summary>Whose it is.</summary>
    public WorkerIdentity Identity { get; }

    /// <summary>Where programs are looked for; null where it does not say.</summary>
    public string? Path { get; }

    /// <summary>The same with what is one process's own, which goes before anything else of its name.</summary>
    public IReadOnlyList<string> With(IReadOnlyList<KeyValuePair<string, string>> own)
    {
        var all = new List<string>(_lines.Length + own.Count);
        foreach (var (name, line) in _lines)
        {
            if (!Has(own, name, 0))
            {
                all.Add(line);
            }
        }

        for (var i = 0; i < own.Count; i++)
        {
            // Of two of a name the later one counts.
            if (!Has(own, own[i].Key, i + 1))
            {
                all.Add($"{own[i].Key}={own[i].Value}");
            }
        }

        return all;
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
