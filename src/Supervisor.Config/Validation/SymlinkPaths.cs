using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Validation;

/// <summary>
/// No path of <c>unix.symlinks</c> is the path of a listener or is given twice: at most one of the two can exist. A warning, because
/// the listener works without the link.
/// </summary>
internal static class SymlinkPaths
{
    public static IEnumerable<ConfigDiagnostic> Check(ParsedConfig config)
    {
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var spec in config.Listeners.Select(listener => listener.Spec).Where(spec => spec.Address.HasFile))
        {
            taken.TryAdd(spec.Address.Path!, $"the address of listener {Quoted.Text(spec.Name)}");
        }

        foreach (var listener in config.Listeners)
        {
            if (!listener.Given.TryGetValue("unix.symlinks", out var given))
            {
                continue;
            }

            for (var i = 0; i < listener.Spec.Unix.Symlinks.Length && i < given.Node.Items.Count; i++)
            {
                var path = listener.Spec.Unix.Symlinks[i];
                if (!taken.TryAdd(path, $"a link of listener {Quoted.Text(listener.Spec.Name)}"))
                {
                    yield return given.Node.Items[i].Diagnostic(
                        given.Path, $"{Quoted.Text(path)} is also {taken[path]}", "remove the link, or give it another path") with
                    {
                        IsWarning = true,
                    };
                }
            }
        }
    }
}
