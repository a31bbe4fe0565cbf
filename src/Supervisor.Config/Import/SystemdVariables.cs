namespace Supervisor.Config.Import;

/// <summary>
/// The variables of a .service unit whose values the unit itself determines: Environment= and the directories. With
/// EnvironmentFile= no value of Environment= is certain, because the file overrides it.
/// </summary>
internal sealed class SystemdVariables
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public SystemdVariables(SystemdUnit unit)
    {
        var hasFiles = unit.List("Service", "EnvironmentFile").Count > 0;
        foreach (var (name, value, _) in SystemdDirectories.Variables(unit))
        {
            _values[name] = value;
        }

        foreach (var (name, value) in unit.List("Service", "Environment").SelectMany(s => SystemdEnvironment.Assignments(s, unit)))
        {
            _values.Remove(name);
            if (!hasFiles)
            {
                _values[name] = value;
            }
        }
    }

    /// <summary>Whether systemd accepts the text as the name of a variable: letters, digits and "_", and no digit first.</summary>
    public static bool IsName(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>The value of a variable; null if the import does not know it.</summary>
    public string? Value(string name) => _values.GetValueOrDefault(name);
}
