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
        return names.Length == 0 ? $"no {kind} named \"{name}\": there are no {kind}s" : $"no {kind} named \"{name}\": the {kind}s are {names}";
    }
}
