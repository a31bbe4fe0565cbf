namespace Supervisor.Control;

/// <summary>Sentences of problem documents that the daemon and its client share.</summary>
public static class ProblemText
{
    /// <summary>An unknown name, with the known ones: <c>no service named "x"; services: a, b</c>.</summary>
    /// <param name="kind">"service" or "listener".</param>
    /// <param name="name">The unknown name.</param>
    /// <param name="known">The known names.</param>
    public static string UnknownName(string kind, string name, IEnumerable<string> known)
    {
        var names = string.Join(", ", known);
        return $"no {kind} named \"{name}\"; {(names.Length == 0 ? $"there are no {kind}s" : $"{kind}s: {names}")}";
    }
}
